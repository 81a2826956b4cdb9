import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { createFaultHistory, findDifferences, followHints } from '../harness/fault-history.ts'
import { findInstalledPrograms, startReplicatedServer } from '../harness/own-server.ts'
import { hasStore } from '../harness/query.ts'
import { expectFailure } from '../harness/pair.ts'
import { openProxy } from '../harness/proxy.ts'
import { expectHonest } from '../harness/reported.ts'
import { playRounds, timeForRounds } from '../harness/rounds.ts'

const programs = findInstalledPrograms()
const rounds = { usually: 2, most: 20, atATime: 1 }

test.skipIf(programs === undefined)(
  'when a standby takes over in mid-run, what was reported is there, and a rerun converges',
  { timeout: timeForRounds(rounds) },
  async () => {
    await using history = await createFaultHistory()
    await playRounds(rounds, async (random) => {
      await using server = await startReplicatedServer(programs!)
      const undisturbed = await history.undisturbed(server.url)
      // The address that the application knows, whoever is behind it.
      await using proxy = await openProxy(server.url)
      await using databases = await history.makeDatabases(proxy.through(server.url))
      const running = databases.start(['upgrade', '--json', '--jobs', random.pick(['1', '4'])])
      await Promise.race([sleep(random.between(200, 1200)), running.ended])
      await server.killPrimary()
      proxy.leadTo(server.standbyUrl)
      await server.promote()
      const ended = await running.ended

      await expectHonest(ended, databases, [0, 1, 2])

      await databases.expireLeases()
      await followHints(databases, ['upgrade'])
      expect(findDifferences(undisturbed, await databases.snapshot())).toEqual([])
    })
  },
)

test.skipIf(programs === undefined)('a standby is told to be one, and nothing is begun', async () => {
  await using history = await createFaultHistory(['other'])
  await using server = await startReplicatedServer(programs!)
  await using databases = await history.makeDatabases(server.url)
  const standby = (url: string) => url.replace(new URL(server.url).host, new URL(server.standbyUrl).host)

  await server.standbyCaughtUp()
  const refused = await databases.start(['upgrade'], { reach: standby }).ended

  expectFailure(refused, refused.exitCode, 'read-only')
  expect(await hasStore(databases.urls['other']!)).toBe(false)
  expect(await databases.start(['upgrade']).ended).toMatchObject({ exitCode: 0 })
  await server.standbyCaughtUp()
  // With nothing to do, nothing is written, and a standby will do.
  expect(await databases.start(['upgrade'], { reach: standby }).ended).toMatchObject({ exitCode: 0 })
})
