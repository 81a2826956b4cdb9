import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  createFaultHistory,
  type FaultDatabases,
  type FaultHistory,
  findDifferences,
  followHints,
  type Undisturbed,
} from '../harness/fault-history.ts'
import { anyPlace, openProxy } from '../harness/proxy.ts'
import { playRounds, type Random, timeForRounds } from '../harness/rounds.ts'
import type { Running } from '../harness/workspace.ts'

const rounds = { usually: 10 }

let history: FaultHistory
let undisturbed: Undisturbed

beforeAll(async () => {
  history = await createFaultHistory()
  undisturbed = await history.undisturbed()
})
afterAll(() => history[Symbol.asyncDispose]())

test(
  'after kill -9 of an upgrade at any moment, a rerun converges, and every revision is applied once',
  { timeout: timeForRounds(rounds) },
  async () => {
    await playRounds(rounds, async (random) => {
      await using databases = await history.makeDatabases()
      await killSomewhere(databases, ['upgrade', '--jobs', random.pick(['1', '2', '4'])], random)
      if (random.chance(0.3)) await killSomewhere(databases, ['upgrade'], random)

      await followHints(databases, ['upgrade'])

      expect(findDifferences(undisturbed, await databases.snapshot())).toEqual([])
    })
  },
)

test(
  'after kill -9 of a downgrade at any moment, a rerun converges, and every revision is reverted once',
  { timeout: timeForRounds(rounds) },
  async () => {
    await playRounds({ ...rounds, usually: 5 }, async (random) => {
      await using databases = await history.makeDatabases()
      expect(await databases.start(['upgrade']).ended).toMatchObject({ exitCode: 0 })
      await killSomewhere(databases, ['downgrade', 'base', '--yes'], random)

      await followHints(databases, ['downgrade', 'base', '--yes'])

      for (const [name, { log, applied, rows }] of Object.entries(await databases.snapshot())) {
        const up = undisturbed.snapshot[name]!.log
        const down = up.map((entry) => entry.replace('up', 'down'))
        expect(log.slice(0, up.length)).toEqual(up)
        expect(log.slice(up.length).toSorted()).toEqual(down.toSorted())
        expect([...applied, ...rows]).toEqual([])
      }
    })
  },
)

/** Starts a command and kills it after some time, or when it has sent or got so much. It may have ended before that. */
async function killSomewhere(databases: FaultDatabases, command: readonly string[], random: Random): Promise<void> {
  if (random.chance(0.3)) {
    const running = databases.start(command)
    await Promise.race([sleep(random.next() * undisturbed.ms * 1.1), running.ended])
    running.kill('SIGKILL')
    await running.ended
  } else {
    const target: { running?: Running } = {}
    // At once, so that what has just come does not reach it any more.
    const act = () => target.running?.kill('SIGKILL')
    const place = anyPlace(undisturbed.passed, random)
    await using proxy = await openProxy(Object.values(databases.urls)[0]!, { kind: 'call', act, ...place })
    target.running = databases.start(command, { reach: proxy.through })
    await target.running.ended
  }
  await databases.expireLeases()
}
