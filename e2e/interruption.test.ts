import { describe, expect, test } from 'vitest'

import { closeGate, type Gate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { query, readApplied, readOutcomes } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const
const everything = ids.map((id) => `up ${id}`)

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s finishes the revision that is running, begins no other, and exits %i', async (signal, exitCode) => {
  await using workspace = await createWorkspace()
  const first = await workspace.addDatabase('first')
  const second = await workspace.addDatabase('second', { after: ['first'] })
  await using gate = await closeGate(first)
  await addRevisions(workspace, 'first', first, gate)
  await addRevisions(workspace, 'second', second)
  const running = workspace.start(['upgrade', '--verbose'])
  await running.waitFor(gate.notice)

  running.kill(signal)
  await running.waitFor(`${signal}: finishing the revision that is running`)
  // The third is in the message that the server is at, and is kept from being begun by a change of the token.
  await untilFenced(first)
  await gate.open()
  const ended = await running.ended

  expect(ended.exitCode).toBe(exitCode)
  expect(ended.stdout).toMatch(/^first +interrupted: 2 revisions applied, 1 not tried$/m)
  expect(ended.stdout).toMatch(/^second +not tried: 3 revisions left$/m)
  expect(await readApplied(first)).toEqual(ids.slice(0, 2))
  expect(await readLog(first)).toEqual(everything.slice(0, 2))
  expect(await readOutcomes(first)).toEqual(['interrupted'])
  expect(await readLog(second)).toEqual([])

  // Nobody has to wait for one who left in an orderly way.
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(first)).toEqual(everything)
  expect(await readOutcomes(first)).toEqual(['interrupted', 'succeeded'])
  expect(await readLog(second)).toEqual(everything)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends the waiting for another run, exits %i, and changes nothing', async (signal, exitCode) => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await addRevisions(workspace, 'main', url, gate)
  const holder = workspace.start(['upgrade', '--verbose'])
  await holder.waitFor(gate.notice)
  const waiting = workspace.start(['upgrade', '--json'])
  await waiting.waitFor('waiting for another run')

  waiting.kill(signal)
  const ended = await waiting.ended

  expect(ended.exitCode).toBe(exitCode)
  expect(ended.json()).toMatchObject({ ok: false, exitCode, error: { code: 'INTERRUPTED', database: 'main' } })
  expect(await readOutcomes(url)).toEqual(['running'])
  await gate.open()
  expect(await holder.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(everything)
})

test('SIGINT while a revision waits for a lock that the application holds stops before it is tried again', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await addRevisions(workspace, 'main', url, { sql: gate.sql.replace(/^set local lock_timeout.*\n/m, '') })
  const running = workspace.start(['upgrade'])
  await running.waitFor('retrying aaaa00000002')

  running.kill('SIGINT')
  const ended = await running.ended

  expect(ended.exitCode).toBe(130)
  expect(ended.stdout).toMatch(/^main +interrupted: 1 revision applied, 2 not tried$/m)
  expect(await readLog(url)).toEqual(everything.slice(0, 1))
  expect(await readOutcomes(url)).toEqual(['interrupted'])
  await gate.open()
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(everything)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'a second %s cancels the statement on the server, undoes its revision, and exits %i',
  async (signal, exitCode) => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await using gate = await closeGate(url)
    await addRevisions(workspace, 'main', url, gate)
    const running = workspace.start(['upgrade', '--verbose'])
    await running.waitFor(gate.notice)

    running.kill(signal)
    await running.waitFor(`${signal}: finishing`)
    running.kill(signal)
    const ended = await running.ended

    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stderr).toContain(`${signal}: cancelling what is running`)
    expect(ended.stdout).toMatch(/^main +interrupted: 1 revision applied, 2 not tried$/m)
    await gate.open()
    expect(await readApplied(url)).toEqual(ids.slice(0, 1))
    expect(await readLog(url)).toEqual(everything.slice(0, 1))
    expect(await readOutcomes(url)).toEqual(['interrupted'])
    expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
    expect(await readLog(url)).toEqual(everything)
  },
)

// Side by side, because each waits for a lease to expire.
describe.concurrent('after kill -9', () => {
  test('a rerun outlives the lease by itself and applies what the server had undone', async () => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await using gate = await closeGate(url)
    await addRevisions(workspace, 'main', url, gate)
    await killInTheMiddle(workspace, gate)
    await endBackends(url)
    await gate.open()
    expect(await readApplied(url)).toEqual(ids.slice(0, 1))

    const rerun = await workspace.migrate('upgrade')

    expect(rerun).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('waiting for another run: "upgrade" of'),
    })
    expect(await readApplied(url)).toEqual(ids)
    expect(await readLog(url)).toEqual(everything)
    expect(await readOutcomes(url)).toEqual(['lost', 'succeeded'])
  })

  test('a rerun does not repeat what the server finished on its own meanwhile', async () => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await using gate = await closeGate(url)
    await addRevisions(workspace, 'main', url, gate)
    await killInTheMiddle(workspace, gate)

    const rerun = workspace.start(['upgrade', '-v'])
    await rerun.waitFor('waiting for another run')
    await gate.open()

    expect(await rerun.ended).toMatchObject({ exitCode: 0 })
    expect(await readApplied(url)).toEqual(ids)
    expect(await readLog(url)).toEqual(everything)
  })

  test('a rerun waits for a revision that the server is still busy with, and goes on after it', async () => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await using gate = await closeGate(url)
    await addRevisions(workspace, 'main', url, gate)
    await killInTheMiddle(workspace, gate)
    await expireLease(url)

    const rerun = workspace.start(['upgrade'])
    await rerun.waitFor('waiting for another run')
    await gate.open()
    const ended = await rerun.ended

    expect(await readLog(url)).toEqual(everything)
    expect(await readApplied(url)).toEqual(ids)
    expect(ended).toMatchObject({ exitCode: 0 })
  })
})

/** Three revisions that write down that they ran; the second comes to the gate first. */
async function addRevisions(
  workspace: TestWorkspace,
  database: string,
  url: string,
  gate?: Pick<Gate, 'sql'>,
): Promise<void> {
  await createLog(url)
  for (const [at, id] of ids.entries()) {
    await workspace.addRevision(database, { id, up: `${at === 1 ? (gate?.sql ?? '') : ''}${logEntry(`up ${id}`)}` })
  }
}

async function killInTheMiddle(workspace: TestWorkspace, gate: Gate): Promise<void> {
  const running = workspace.start(['upgrade', '--verbose'])
  await running.waitFor(gate.notice)
  running.kill('SIGKILL')
  expect(await running.ended).toMatchObject({ exitCode: 137 })
}

/** Ends what a killed process has left on the server, which notices by itself only when it comes to answer. Waits until it is gone. */
async function endBackends(url: string): Promise<void> {
  const ended = await query(
    url,
    `
select pg_terminate_backend(pid, 10000) as gone
from pg_stat_activity
where datname = current_database() and application_name = 'drover'`,
  )
  expect(ended).toEqual([{ gone: true }])
}

/** Waits until the run has kept the server from beginning more of what it was sent. */
async function untilFenced(url: string): Promise<void> {
  for (;;) {
    const [lease] = await query(url, 'select token > 1 as fenced from drover.lease')
    if (lease?.['fenced'] === true) return
  }
}

/** As if the holder had been silent for long. */
async function expireLease(url: string): Promise<void> {
  await query(url, `update drover.lease set expires_at = '-infinity'`)
}
