import { expect, test } from 'vitest'

import { query } from './harness/query.ts'
import { createRepositoryDatabases } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

test('validate finds the critical tables of the databases of the repository once they are upgraded', async () => {
  await using databases = await createRepositoryDatabases()

  const before = await databases.migrate('validate', '--json')
  await databases.migrate('upgrade')
  const after = await databases.migrate('validate')

  expect(before.exitCode).toBe(4)
  const missing = before.json().databases.map((database: any) => [database.name, database.missing])
  expect(missing).toContainEqual(['main', ['tenants', 'action_logs', 'audit_logs', 'idempotency_keys']])
  expect(after).toMatchObject({ exitCode: 0, stderr: '' })
  expect(after.stdout).toContain('main: 4 critical tables, nothing missing\n')
})

test('validate lists what is missing, exits 4, and says of a database when it declares nothing', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addDatabase('plain')
  await declare(workspace, 'main', ['users', 'audit.logs', '"Order"', 'orders'])
  await query(
    url,
    'create table orders (); create schema audit; create view audit.logs as select 1 as one; create table "order" ()',
  )

  const ended = await workspace.migrate('validate')

  expect(ended).toMatchObject({
    exitCode: 4,
    stdout: 'main: 4 critical tables, 2 missing\nplain: declares no critical tables\n',
    stderr: `error: main: the application cannot live without users, "Order", and they are not there
  next: pnpm migrate upgrade -d main applies what is missing, pnpm migrate drift -d main shows what is gone; or correct "critical" in its database.ts
`,
  })
  await query(url, 'create table users (); create table "Order" ()')
  expect(await workspace.migrate('validate', '-d', 'main')).toMatchObject({
    exitCode: 0,
    stdout: 'main: 4 critical tables, nothing missing\n',
    stderr: '',
  })
})

test('validate writes nothing, and does not even connect to a database that declares nothing', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  workspace.env['PLAIN_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
  await workspace.write('databases/plain/database.ts', `export default { name: 'plain' }\n`)
  await declare(workspace, 'main', ['users'])

  const ended = await workspace.migrate('validate', '--json')

  expect(ended.json()).toMatchObject({
    ok: false,
    exitCode: 4,
    databases: [
      { name: 'main', critical: ['users'], missing: ['users'] },
      { name: 'plain', critical: [], missing: [] },
    ],
    error: { code: 'TABLE_MISSING', database: 'main' },
  })
  // It wrote nothing: Drover's own tables are not there either.
  expect(await query(url, `select to_regnamespace('drover') is null as untouched`)).toEqual([{ untouched: true }])
})

test('validate looks into databases that migrate themselves, too', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('identity')
  await workspace.write(
    'databases/identity/database.ts',
    `export default { kind: 'external', name: 'identity', managedBy: 'Keycloak', critical: ['realm'] }\n`,
  )

  const ended = await workspace.migrate('validate')

  expect(ended.exitCode).toBe(4)
  expect(ended.stderr).toContain('identity: the application cannot live without realm, and it is not there')
  expect(ended.stderr).toContain('next: have the program make them that the database belongs to')
})

test('validate exits 2 when a database cannot be reached, and still lists what others miss', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  await workspace.addDatabase('away')
  await declare(workspace, 'main', ['users'])
  await declare(workspace, 'away', ['users'])
  workspace.env['AWAY_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'

  const ended = await workspace.migrate('validate')

  expect(ended.exitCode).toBe(2)
  expect(ended.stdout).toBe('away: cannot be read\nmain: 1 critical table, 1 missing\n')
  expect(ended.stderr).toContain('error: away: no server answers at 127.0.0.1:9')
  expect(ended.stderr).toContain('error: main: the application cannot live without users, and it is not there')
})

test('a critical table that no table could be called is refused by every command, with its file and its place', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  await declare(workspace, 'main', ['users', 'Orders; drop table users'])

  const ended = await workspace.migrate('validate')

  expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ended.stderr).toContain('databases/main/database.ts: "critical.1" must be a table as SQL names it')
})

async function declare(workspace: TestWorkspace, name: string, critical: readonly string[]): Promise<void> {
  const declaration = `export default { name: '${name}', critical: ${JSON.stringify(critical)} }\n`
  await workspace.write(`databases/${name}/database.ts`, declaration)
}
