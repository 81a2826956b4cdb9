import { afterAll, beforeAll, expect, test } from 'vitest'

import { createFaultHistory, type FaultHistory, findDifferences, followHints } from '../harness/fault-history.ts'
import { closeGate, gateSql } from '../harness/gate.ts'
import { createLog, logEntry, readLog } from '../harness/log.ts'
import { query, queryColumn, readApplied } from '../harness/query.ts'
import { playRounds, timeForRounds } from '../harness/rounds.ts'
import { createWorkspace, type TestWorkspace } from '../harness/workspace.ts'

const runners = process.env['DROVER_FAULT_ROUNDS'] === undefined ? 10 : 50
const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const

let history: FaultHistory

beforeAll(async () => {
  history = await createFaultHistory()
  await history.undisturbed()
})
afterAll(() => history[Symbol.asyncDispose]())

const crowds = { usually: 1, most: 10, atATime: 1 }

test(`${runners} runners at once apply every revision once`, { timeout: timeForRounds(crowds) }, async () => {
  await playRounds(crowds, async (random) => {
    await using databases = await history.makeDatabases()

    // Whoever waits for fifty others needs more than a minute on a busy machine.
    const all = Array.from({ length: runners }, () =>
      databases.start(['upgrade', '--wait-lock', '10m', '--jobs', random.pick(['1', '4'])]),
    )
    const ended = await Promise.all(all.map((one) => one.ended))

    for (const { exitCode, stderr } of ended) {
      expect(stderr).not.toMatch(/^error: (?!.*(?:another run|half applied))/m)
      // Whoever planned while a revision outside a transaction was under way is told so.
      expect({ exitCode, stderr }).toMatchObject({ exitCode: expect.toBeOneOf([0, 3]) })
    }
    expect(ended.map(({ exitCode }) => exitCode)).toContain(0)
    await followHints(databases, ['upgrade'])
    expect(findDifferences(await history.undisturbed(), await databases.snapshot())).toEqual([])
  })
})

const few = { usually: 4 }

test('runners of which some are killed apply every revision once', { timeout: timeForRounds(few) }, async () => {
  await playRounds({ ...few, atATime: 1 }, async (random) => {
    await using databases = await history.makeDatabases()
    const all = Array.from({ length: 4 }, () => databases.start(['upgrade', '--wait-lock', '2m']))
    for (const one of all.slice(0, 3)) {
      await one.waitFor(random.pick(['applied', 'waiting'])).catch(() => undefined)
      one.kill('SIGKILL')
      await databases.expireLeases()
    }
    await Promise.all(all.map((one) => one.ended))

    await followHints(databases, ['upgrade'])

    expect(findDifferences(await history.undisturbed(), await databases.snapshot())).toEqual([])
  })
})

test('of two runners with different checkouts, the one that has a revision more applies it, in whatever order they come', async () => {
  await using shorter = await createWorkspace()
  await using longer = await createWorkspace()
  const url = await shorter.addDatabase('main')
  await longer.addDatabase('main', { create: false })
  longer.env['MAIN_DATABASE_URL'] = url
  await createLog(url)
  await addRevisions(shorter, ids.slice(0, 2))
  await addRevisions(longer, ids)
  await using gate = await closeGate(url)
  const holder = longer.start(['upgrade', '--verbose'])
  await holder.waitFor(gate.notice)
  const other = shorter.start(['upgrade', '--verbose'])
  await other.waitFor('waiting for another run')
  await gate.open()

  expect(await holder.ended).toMatchObject({ exitCode: 0 })
  expect(await readApplied(url)).toEqual(ids)
  expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  // It knows nothing of the third revision, and does nothing to a database that somebody newer has had.
  expect((await other.ended).exitCode).toBe(0)
  expect(await shorter.migrate('upgrade')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(ids[2]) })
})

test('of two runners with different texts of a revision, one applies its own, and the other is told that it is not the same', async () => {
  await using one = await createWorkspace()
  await using other = await createWorkspace()
  const url = await one.addDatabase('main')
  await other.addDatabase('main', { create: false })
  other.env['MAIN_DATABASE_URL'] = url
  await createLog(url)
  await addRevisions(one, ids)
  await addRevisions(other, ids, 'edited')
  await using gate = await closeGate(url)
  const holder = one.start(['upgrade', '--verbose'])
  await holder.waitFor(gate.notice)
  const waiting = other.start(['upgrade'])
  await waiting.waitFor('waiting for another run')
  await gate.open()
  await Promise.all([holder.ended, waiting.ended])

  expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await other.migrate('upgrade')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('edited') })
  expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
})

// What somebody else does to the lease, by SQL, while its holder is in the middle of a revision.
const thefts = [
  [
    'taken over',
    `update drover.lease set token = token + 1, run = gen_random_uuid(), expires_at = clock_timestamp() + interval '1 hour'`,
  ],
  ['taken away', `update drover.lease set token = token + 1, expires_at = '-infinity'`],
] as const

test.each(thefts)(
  'a lease that is %s in mid-run lets its holder finish what it is at and begin nothing more, and a rerun goes on',
  async (_, theft) => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await createLog(url)
    await addRevisions(workspace, ids)
    await using gate = await closeGate(url)
    const holder = workspace.start(['upgrade', '--verbose', '--json'])
    await holder.waitFor(gate.notice)

    await query(url, theft)
    await gate.open()
    const ended = await holder.ended

    expect(ended).toMatchObject({ exitCode: 1 })
    expect(ended.json()).toMatchObject({ error: { code: 'LEASE_LOST', database: 'main', revision: ids[2] } })
    expect(await readApplied(url)).toEqual(ids.slice(0, 2))
    expect(await readLog(url)).toEqual(ids.slice(0, 2).map((id) => `up ${id}`))
    await query(url, `update drover.lease set expires_at = '-infinity'`)
    expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  },
)

// As a jump of the server's clock would leave them.
const jumps = [
  ['hours in the future', '3 hours'],
  ['hours in the past', '-3 hours'],
] as const

test.each(jumps)('times in the lease that are %s do not let a revision be applied twice', async (_, by) => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await createLog(url)
  await addRevisions(workspace, ids)
  await using gate = await closeGate(url)
  const holder = workspace.start(['upgrade', '--verbose'])
  await holder.waitFor(gate.notice)
  await query(
    url,
    `update drover.lease set acquired_at = acquired_at + interval '${by}', heartbeat_at = heartbeat_at + interval '${by}', expires_at = expires_at + interval '${by}'`,
  )
  const other = workspace.start(['upgrade'])
  await other.waitFor('waiting for another run')
  await gate.open()
  const ended = await Promise.all([holder.ended, other.ended])

  // Whoever takes over comes in between two revisions at the earliest, and the first one stops there.
  expect([0, 1]).toContain(ended[0].exitCode)
  if (ended[0].exitCode === 1) expect(ended[0].stderr).toContain('no longer holds the database')
  expect(ended[1]).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(url)).toEqual(ids)
})

test.each([3, -3])(
  'a runner whose clock is %i hours wrong, and jumps, keeps its lease and applies every revision once',
  async (hours) => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await createLog(url)
    await addRevisions(workspace, ids)
    await workspace.write(
      'wrong-clock.mjs',
      `const now = Date.now.bind(Date)
const started = now()
// It jumps once more when the run is under way.
Date.now = () => now() + ${hours} * 3_600_000 * (now() - started > 300 ? 2 : 1)
`,
    )
    await using gate = await closeGate(url)
    const wrong = workspace.start(['upgrade', '--verbose'], {
      env: { NODE_OPTIONS: `--import=${workspace.root}/wrong-clock.mjs` },
    })
    await wrong.waitFor(gate.notice)
    const other = workspace.start(['upgrade'])
    await other.waitFor('waiting for another run')
    const [lease] = await queryColumn(
      url,
      `select expires_at between clock_timestamp() and clock_timestamp() + interval '20 seconds' from drover.lease`,
    )
    await gate.open()

    expect(lease).toBe(true)
    expect(await wrong.ended).toMatchObject({ exitCode: 0 })
    expect(await other.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('done by another run') })
    expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  },
)

/** Revisions that write down that they ran; the second comes to the gate. `note` makes their text another. */
async function addRevisions(workspace: TestWorkspace, which: readonly string[], note = ''): Promise<void> {
  for (const [at, id] of which.entries()) {
    const entry = logEntry(`up ${id}${note && at === 1 ? ` ${note}` : ''}`)
    await workspace.addRevision('main', {
      id,
      created: `2026-11-01T00:00:0${at}Z`,
      up: `${at === 1 ? gateSql('gate') : ''}${entry}`,
    })
  }
}
