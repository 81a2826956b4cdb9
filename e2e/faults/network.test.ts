import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  createFaultHistory,
  type FaultHistory,
  findDifferences,
  followHints,
  type Undisturbed,
} from '../harness/fault-history.ts'
import { anyPlace, type FaultKind, openProxy } from '../harness/proxy.ts'
import { expectHonest } from '../harness/reported.ts'
import { playRounds, type Random, timeForRounds } from '../harness/rounds.ts'

let history: FaultHistory
let undisturbed: Undisturbed

beforeAll(async () => {
  history = await createFaultHistory()
  undisturbed = await history.undisturbed()
})
afterAll(() => history[Symbol.asyncDispose]())

const faults: readonly (readonly [string, number, (random: Random) => FaultKind])[] = [
  ['cut', 5, () => ({ kind: 'cut' })],
  ['half-closed', 5, () => ({ kind: 'half-close' })],
  ['slow', 2, (random) => ({ kind: 'delay', ms: random.between(50, 600) })],
  // Whoever waits for it to come back gives up after ten seconds, and after twenty where nobody answers.
  ['gone for good', 2, () => ({ kind: 'outage', silent: false })],
  ['gone for good without a word', 1, () => ({ kind: 'outage', silent: true })],
]

test.each(faults)(
  'when the network is %s at any moment, what is said is so, and a rerun converges',
  { timeout: timeForRounds({ usually: 1 }) },
  async (_, usually, faultOf) => {
    await playRounds({ usually }, async (random) => {
      await using databases = await history.makeDatabases()
      await using proxy = await openProxy(databases.urls['first']!, {
        ...faultOf(random),
        ...anyPlace(undisturbed.passed, random),
      })

      const ended = await databases.start(['upgrade', '--json', '--jobs', random.pick(['1', '4'])], {
        reach: proxy.through,
      }).ended

      await expectHonest(ended, databases, [0, 1, 2])

      proxy.cut()
      await databases.expireLeases()
      await followHints(databases, ['upgrade'])
      expect(findDifferences(undisturbed, await databases.snapshot())).toEqual([])
    })
  },
)
