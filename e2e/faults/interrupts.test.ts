import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  createFaultHistory,
  type FaultHistory,
  findDifferences,
  followHints,
  type Undisturbed,
} from '../harness/fault-history.ts'
import { expectHonest } from '../harness/reported.ts'
import { playRounds, timeForRounds } from '../harness/rounds.ts'

const rounds = { usually: 6 }

let history: FaultHistory
let undisturbed: Undisturbed

beforeAll(async () => {
  history = await createFaultHistory()
  undisturbed = await history.undisturbed()
})
afterAll(() => history[Symbol.asyncDispose]())

test.each([
  ['once', 1],
  ['twice', 2],
  ['three times', 3],
])(
  'SIGINT %s at any moment ends the run in good order, and a rerun converges',
  { timeout: timeForRounds(rounds) },
  async (_, times) => {
    await playRounds(rounds, async (random) => {
      await using databases = await history.makeDatabases()
      const running = databases.start(['upgrade', '--json', '--jobs', random.pick(['1', '4'])])
      const moments = Array.from({ length: times }, () => random.next() * undisturbed.ms * 1.1).toSorted(
        (a, b) => a - b,
      )
      const started = performance.now()
      for (const moment of moments) {
        await Promise.race([sleep(Math.max(0, moment - (performance.now() - started))), running.ended])
        running.kill('SIGINT')
      }
      const ended = await running.ended

      // 128: it had not yet come so far as to listen. 1 and 3: what cannot be undone has been cut off, or was begun by then.
      await expectHonest(ended, databases, [0, 1, 128, 130])

      // Who leaves in good order gives the lease back.
      const isOrderly = ended.exitCode === 0 || (ended.exitCode === 130 && times < 3)
      if (!isOrderly) await databases.expireLeases()
      await followHints(databases, ['upgrade', ...(isOrderly ? ['--wait-lock', '0'] : [])])
      expect(findDifferences(undisturbed, await databases.snapshot())).toEqual([])
    })
  },
)
