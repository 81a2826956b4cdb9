import { expect, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames, withoutTenants } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const

test('two upgrades of the empty databases of the repository, started at the same moment, apply every revision once', async () => {
  await using databases = await createRepositoryDatabases()

  const ended = await Promise.all([databases.migrate('upgrade', '--json'), databases.migrate('upgrade', '--json')])

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  const current = await databases.migrate('current', '--json')
  expect(withoutTenants(current.json()).map(({ targets }) => targets[0].state)).toEqual(
    databaseNames.map(() => 'up-to-date'),
  )
  for (const name of databaseNames) {
    const applied = ended.flatMap((end) => appliedBy(end.json(), name))
    expect(applied).toEqual(await readApplied(databases.urls[name]))
  }
})

test.each([2, 10])('%i upgrades that find the same empty databases apply every revision once', async (runners) => {
  await using workspace = await createWorkspace()
  const first = await workspace.addDatabase('first')
  const second = await workspace.addDatabase('second', { after: ['first'] })
  await using gate = await closeGate(first)
  await addLoggedRevisions(workspace, 'first', first, { gateIn: ids[0], gate: gate.sql })
  await addLoggedRevisions(workspace, 'second', second)

  const running = Array.from({ length: runners }, () => workspace.start(['upgrade', '--verbose']))
  // One is in the middle of the first revision, and the others have made the same plan and wait for it.
  await Promise.all(running.map((one) => one.waitFor('waiting ')))
  await gate.open()
  const ended = await Promise.all(running.map((one) => one.ended))

  expect(ended.map(({ exitCode }) => exitCode)).toEqual(ended.map(() => 0))
  expect(ended.filter(({ stderr }) => stderr.includes(gate.notice))).toHaveLength(1)
  expect(ended.filter(({ stdout }) => stdout.includes('done by another run'))).toHaveLength(runners - 1)
  for (const url of [first, second]) {
    expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
    expect(await readApplied(url)).toEqual(ids)
    expect(await readOutcomes(url)).toEqual(['succeeded'])
  }
})

test('ten upgrades that nothing holds up apply every revision once', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await addLoggedRevisions(workspace, 'main', url)

  const ended = await Promise.all(Array.from({ length: 10 }, () => workspace.migrate('upgrade')))

  expect(ended.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
    ended.map(() => ({ exitCode: 0, stderr: expect.not.stringContaining('error') })),
  )
  expect(await readLog(url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(url)).toEqual(ids)
})

test('two downgrades that have planned the same step revert it once', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await addLoggedRevisions(workspace, 'main', url, { gateIn: ids[2], gate: '', downGate: gate.sql })
  await workspace.migrate('upgrade')

  const one = workspace.start(['downgrade', '--verbose'])
  await one.waitFor(gate.notice)
  const other = workspace.start(['downgrade', '--verbose'])
  await other.waitFor('waiting for another run')
  await gate.open()

  expect(await one.ended).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^main +1 revision reverted$/m) })
  expect(await other.ended).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^main +done by another run$/m),
  })
  expect(await readApplied(url)).toEqual(ids.slice(0, 2))
  expect(await readLog(url)).toEqual([...ids.map((id) => `up ${id}`), `down ${ids[2]}`])
})

test('an upgrade that has waited for a downgrade does not go on with a plan that no longer fits', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await addLoggedRevisions(workspace, 'main', url, { gateIn: ids[1], gate: '', downGate: gate.sql })
  await workspace.migrate('upgrade', ids[1])

  const downgrade = workspace.start(['downgrade', '--verbose'])
  await downgrade.waitFor(gate.notice)
  // It has planned the third revision, on top of the second.
  const upgrade = workspace.start(['upgrade', '--json'])
  await upgrade.waitFor('waiting for another run')
  await gate.open()

  expect(await downgrade.ended).toMatchObject({ exitCode: 0 })
  const refused = await upgrade.ended
  expect(refused.exitCode).toBe(3)
  expect(refused.json()).toMatchObject({ error: { code: 'STATE_MOVED', database: 'main', revision: ids[2] } })
  expect(await readApplied(url)).toEqual(ids.slice(0, 1))
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(url)).toEqual(ids)
})

test('an upgrade that may not wait for another run is refused, and names who holds which database', async () => {
  await using workspace = await createWorkspace()
  const first = await workspace.addDatabase('first')
  const second = await workspace.addDatabase('second', { after: ['first'] })
  await using gate = await closeGate(second)
  await addLoggedRevisions(workspace, 'first', first)
  await addLoggedRevisions(workspace, 'second', second, { gateIn: ids[1], gate: gate.sql })
  const holder = workspace.start(['upgrade', '--verbose', '-d', 'second'])
  await holder.waitFor(gate.notice)

  const refused = await workspace.migrate('upgrade', '--wait-lock', '0', '--json')

  expect(refused.exitCode).toBe(3)
  expect(refused.json()).toMatchObject({
    ok: false,
    error: { code: 'LOCKED', database: 'second', message: expect.stringContaining(`process ${holder.pid},`) },
  })
  expect(refused.stderr).toContain('second: another run holds the database: "upgrade" of ')
  // Refused before anything was changed, on the database that was free as well.
  expect(await readLog(first)).toEqual([])
  expect(await queryColumn(first, 'select count(*)::int from drover.run')).toEqual([0])

  await gate.open()
  expect(await holder.ended).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(second)).toEqual(ids.map((id) => `up ${id}`))
})

test('a lease does not keep anybody from the other databases of its server', async () => {
  await using workspace = await createWorkspace()
  const first = await workspace.addDatabase('first')
  const second = await workspace.addDatabase('second')
  await using gate = await closeGate(second)
  await addLoggedRevisions(workspace, 'first', first)
  await addLoggedRevisions(workspace, 'second', second, { gateIn: ids[0], gate: gate.sql })
  const holder = workspace.start(['upgrade', '--verbose', '-d', 'second'])
  await holder.waitFor(gate.notice)

  expect(await workspace.migrate('upgrade', '-d', 'first', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })

  expect(await readApplied(first)).toEqual(ids)
  expect(await readApplied(second)).toEqual([])
  await gate.open()
  expect(await holder.ended).toMatchObject({ exitCode: 0 })
})

/** Three revisions that write down that they ran; one of them may come to a gate first. */
async function addLoggedRevisions(
  workspace: TestWorkspace,
  database: string,
  url: string,
  halt?: { readonly gateIn: string; readonly gate: string; readonly downGate?: string },
): Promise<void> {
  await createLog(url)
  for (const id of ids) {
    const here = halt?.gateIn === id ? halt : undefined
    await workspace.addRevision(database, {
      id,
      up: `${here?.gate ?? ''}${logEntry(`up ${id}`)}`,
      down: `${here?.downGate ?? ''}${logEntry(`down ${id}`)}`,
    })
  }
}

function appliedBy(document: any, name: string): readonly string[] {
  return document.databases
    .find((database: any) => database.name === name)
    .targets[0].steps.filter((step: any) => step.status === 'applied')
    .map((step: any) => step.revision)
}
