import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  createFaultHistory,
  type FaultHistory,
  findDifferences,
  followHints,
  type Undisturbed,
} from '../harness/fault-history.ts'
import { type OwnServer, startOwnServer } from '../harness/own-server.ts'
import { playRounds, timeForRounds } from '../harness/rounds.ts'
import { expectHonest } from '../harness/reported.ts'

// One server, which all rounds would crash for each other.
const rounds = { usually: 4, most: 200, atATime: 1 }

let history: FaultHistory
let server: OwnServer
let undisturbed: Undisturbed

beforeAll(async () => {
  history = await createFaultHistory()
  // A commit that does not wait for the disk is then as good as lost in a crash.
  server = await startOwnServer({ wal_writer_delay: '10s' })
  undisturbed = await history.undisturbed(server.url)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await history[Symbol.asyncDispose]()
})

test(
  'after kill -9 of the server at any moment, what was reported is there, and a rerun converges',
  { timeout: timeForRounds(rounds) },
  async () => {
    await playRounds(rounds, async (random) => {
      await using databases = await history.makeDatabases(server.url)
      const running = databases.start(['upgrade', '--json', '--jobs', random.pick(['1', '4'])])
      // Half of the time goes by before anything is sent.
      await Promise.race([sleep((0.3 + 0.7 * random.next()) * undisturbed.ms), running.ended])
      await server.crash()
      const isDownForLong = random.chance(0.1)
      if (isDownForLong) await running.ended
      await server.start()
      const ended = await running.ended

      await expectHonest(ended, databases, [0, 1, 2])
      await databases.expireLeases()
      await followHints(databases, ['upgrade'])
      expect(findDifferences(undisturbed, await databases.snapshot())).toEqual([])
    })
  },
)

// Messages of one, two, four and eight revisions: these are the last of each.
const lastOfMessages = [0, 2, 6]

test('what is reported is on the disk at that moment', { timeout: timeForRounds(rounds) }, async () => {
  await using steady = await createFaultHistory(['steady'])
  const ids = steady.ids['steady']!
  await playRounds({ ...rounds, usually: 2 }, async (random) => {
    await using databases = await steady.makeDatabases(server.url)
    const running = databases.start(['upgrade', '--json'])
    await running.waitFor(ids[random.pick(lastOfMessages)]!)
    // The server is at the next message, which waits for the disk only in the end.
    await server.crash()
    await server.start()
    const ended = await running.ended

    expect(ended.stderr).toContain('applied')
    await expectHonest(ended, databases, [0, 1, 2])
    await databases.expireLeases()
    await followHints(databases, ['upgrade'])
    expect(await databases.applied()).toEqual({ steady: ids })
  })
})
