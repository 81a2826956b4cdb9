import { expect, it } from 'vitest'

import { query } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = {
  c1: 'c10000000001',
  c2: 'c20000000002',
  m1: 'a10000000001',
  m2: 'a20000000002',
}

it('goes back and forth between databases as their revisions depend on each other', async () => {
  await using workspace = await twoDatabases()

  const { exitCode, stderr } = await workspace.migrate('upgrade')

  expect(exitCode).toBe(0)
  expect(orderIn(stderr, 'applied')).toEqual([ids.c1, ids.m1, ids.c2, ids.m2])
})

it('honours the dependencies in reverse on the way down', async () => {
  await using workspace = await twoDatabases()
  await workspace.migrate('upgrade')

  const { exitCode, stderr } = await workspace.migrate('downgrade', 'base', '--yes')

  expect(exitCode).toBe(0)
  expect(orderIn(stderr, 'reverted')).toEqual([ids.m2, ids.c2, ids.m1, ids.c1])
})

it('refuses to upgrade one database alone when what it depends on is not there, and changes nothing', async () => {
  await using workspace = await twoDatabases()

  const ended = await workspace.migrate('upgrade', '-d', 'main')

  expect(ended.exitCode).toBe(3)
  expect(ended.stderr).toContain(`depends on credentials/${ids.c2}, which is not applied and not part of this upgrade`)
  expect(ended.stderr).toContain(`next: pnpm migrate upgrade credentials/${ids.c2}`)
  expect(await tablesOf(workspace, 'main')).toEqual([])
})

it('upgrades one database alone when what it depends on is applied already', async () => {
  await using workspace = await twoDatabases()
  await workspace.migrate('upgrade', `main/${ids.m1}`)
  await workspace.migrate('upgrade', '-d', 'credentials')

  const { exitCode, stderr } = await workspace.migrate('upgrade', '-d', 'main')

  expect(exitCode).toBe(0)
  expect(orderIn(stderr, 'applied')).toEqual([ids.m2])
})

it('says what it could not check when the other database cannot be reached', async () => {
  await using workspace = await twoDatabases()
  await workspace.migrate('upgrade', `main/${ids.m1}`)
  delete workspace.env['CREDENTIALS_DATABASE_URL']

  const ended = await workspace.migrate('upgrade', '-d', 'main', '--json')

  expect(ended.exitCode).toBe(0)
  expect(ended.json().warnings).toMatchObject([{ code: 'ELSEWHERE_UNCHECKED', database: 'main', revision: ids.m2 }])
  expect(ended.stderr).toContain(
    `warning: main: ${ids.m2} "use the logins" depends on credentials/${ids.c2}, which could not be checked`,
  )
})

it('refuses to revert what another database still needs', async () => {
  await using workspace = await twoDatabases()
  await workspace.migrate('upgrade')

  const ended = await workspace.migrate('downgrade', '-d', 'credentials', '--yes')

  expect(ended.exitCode).toBe(3)
  expect(ended.stderr).toContain(`credentials/${ids.c2} cannot be reverted: main/${ids.m2}`)
  expect(await tablesOf(workspace, 'credentials')).toEqual(['logins', 'users'])
})

it('refuses a dependency that does not exist, and one that leads back to itself, before anything runs', async () => {
  await using missing = await twoDatabases({ c2: 'main/ffffffffffff' })
  await using circle = await twoDatabases({ c1: `main/${ids.m2}` })

  const [unknown, endless] = await Promise.all([missing.migrate('upgrade'), circle.migrate('upgrade')])
  const checks = await Promise.all([missing, circle].map((workspace) => workspace.migrate('check', '--json')))

  expect(unknown.exitCode).toBe(2)
  expect(unknown.stderr).toContain('depends on main/ffffffffffff, and that database has no such revision')
  expect(endless.exitCode).toBe(2)
  expect(endless.stderr).toContain('come after each other in a circle')
  expect(checks.map((check) => check.exitCode)).toEqual([4, 4])
  expect(checks[0]?.json().problems).toMatchObject([{ code: 'ELSEWHERE_UNKNOWN', database: 'credentials' }])
  expect(checks[1]?.json().problems).toMatchObject([{ code: 'CYCLE' }])
  for (const workspace of [missing, circle]) {
    expect(await tablesOf(workspace, 'credentials')).toEqual([])
    expect(await tablesOf(workspace, 'main')).toEqual([])
  }
})

it('stops both databases when a revision that the other waits for fails, and goes on from there', async () => {
  await using workspace = await twoDatabases({}, { c2: 'select 1 / 0;' })

  const failed = await workspace.migrate('upgrade', '--on-failure', 'continue')

  expect(failed.exitCode).toBe(1)
  expect(failed.stdout).toMatch(/credentials +failed at c20000000002.*: 1 revision applied/)
  expect(failed.stdout).toMatch(/main +stopped because credentials failed: 1 revision applied, 1 not tried/)

  await workspace.write(await fileOf(workspace, ids.c2), 'create table logins (id integer);')
  const rerun = await workspace.migrate('upgrade')

  expect(rerun.exitCode).toBe(0)
  expect(orderIn(rerun.stderr, 'applied')).toEqual([ids.c2, ids.m2])
})

/** `credentials` has c1, c2 and `main` has m1, m2; c2 needs m1 and m2 needs c2. */
async function twoDatabases(
  dependsOn: Readonly<Record<string, string>> = {},
  sql: Readonly<Record<string, string>> = {},
): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('credentials')
  await workspace.addDatabase('main', { after: ['credentials'] })
  const add = async (database: string, key: keyof typeof ids, message: string, table: string, needed?: string) => {
    const dependency = dependsOn[key] ?? needed
    await workspace.addRevision(database, {
      id: ids[key],
      message,
      up: sql[key] ?? `create table ${table} (id integer);`,
      down: `drop table ${table};`,
      ...(dependency !== undefined && { dependsOn: [dependency] }),
    })
  }
  await add('credentials', 'c1', 'make users', 'users')
  await add('credentials', 'c2', 'make logins', 'logins', `main/${ids.m1}`)
  await add('main', 'm1', 'make tenants', 'tenants')
  await add('main', 'm2', 'use the logins', 'audits', `credentials/${ids.c2}`)
  return workspace
}

async function fileOf(workspace: TestWorkspace, id: string): Promise<string> {
  const { databases } = (await workspace.migrate('show', id, '--json')).json()
  return `${databases[0].revisions[0].folder}/migration.sql`
}

function orderIn(stderr: string, verb: string): readonly string[] {
  return [...stderr.matchAll(new RegExp(`${verb} +([0-9a-f]{12})`, 'g'))].map((match) => match[1]!)
}

async function tablesOf(workspace: TestWorkspace, database: string): Promise<readonly string[]> {
  const rows = await query(
    workspace.env[`${database.toUpperCase()}_DATABASE_URL`]!,
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
  )
  return rows.map((row) => String(row['name']))
}
