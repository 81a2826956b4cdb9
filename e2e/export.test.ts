import { execFile } from 'node:child_process'
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createThrowawayDatabase } from '@drover/server'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { hasPsql, runPsql } from './harness/psql.ts'
import { catalogOf, query, queryColumn } from './harness/query.ts'
import { createRepositoryDatabases, type RepositoryDatabases } from './harness/repository-databases.ts'
import { dbmateProgram, filledIn, readFiles, readMigrations, runMigrations, type Runner } from './harness/runners.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const emulated = ['goose', 'golang-migrate', 'flyway'] as const satisfies readonly Runner[]

let folder: string
let native: RepositoryDatabases
let empty: readonly string[]

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'drover-export-')))
  native = await createRepositoryDatabases()
  empty = await catalogOf(native.urls.main)
  const upgrade = await native.migrate('upgrade')
  if (upgrade.exitCode !== 0) throw new Error(upgrade.stderr)
})

afterAll(async () => {
  await native[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** A folder of its own for an export. */
let folders = 0
const newFolder = () => join(folder, String((folders += 1)))

describe.each(['credentials', 'main', 'gdpr'] as const)('the history of %s', (name) => {
  const exported = async (format: string): Promise<string> => {
    const out = newFolder()
    expect(await native.migrate('export', '--format', format, '-d', name, '--out', out)).toMatchObject({ exitCode: 0 })
    return out
  }

  test.skipIf(dbmateProgram === undefined)(
    'builds with dbmate what Drover builds, and takes it away again',
    async () => {
      await using database = await createThrowawayDatabase(inject('serverUrl'))
      const out = await exported('dbmate')
      const { length } = await readdir(out)

      await dbmate(database.url, out, 'up')
      expect(await catalogOf(database.url)).toEqual(await catalogOf(native.urls[name]))

      for (let left = length; left > 0; left -= 1) await dbmate(database.url, out, 'rollback')
      expect(await catalogOf(database.url)).toEqual(empty)
    },
  )

  test.skipIf(!hasPsql)('builds with psql what Drover builds, and takes it away again', async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    const out = await exported('sql')

    expect(await runPsql(database.url, join(out, 'upgrade.sql'), { onErrorStop: false })).toMatchObject({ exitCode: 0 })
    expect(await catalogOf(database.url)).toEqual(await catalogOf(native.urls[name]))

    const downs = (await readdir(out)).filter((file) => file.endsWith('.down.sql')).toSorted()
    for (const file of downs.toReversed()) {
      expect(await runPsql(database.url, join(out, file))).toMatchObject({ exitCode: 0 })
    }
    expect(await catalogOf(database.url)).toEqual(empty)
  })

  test.each(emulated)('builds what Drover builds as %s reads it, and takes it away again', async (runner) => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    const migrations = readMigrations(runner, await readFiles(await exported(runner)))

    await runMigrations(database.url, migrations, 'up')
    expect(await catalogOf(database.url)).toEqual(await catalogOf(native.urls[name]))

    await runMigrations(database.url, migrations, 'down')
    expect(await catalogOf(database.url)).toEqual(empty)
  })
})

describe('a history with all that a revision may be', () => {
  test.skipIf(dbmateProgram === undefined)('goes up and down by dbmate', async () => {
    await using odd = await createOdd()
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    expect(await odd.migrate('upgrade')).toMatchObject({ exitCode: 0, stderr: expect.any(String) })
    expect(await odd.migrate('export', '--format', 'dbmate', '--out', 'out')).toMatchObject({ exitCode: 0 })
    const out = join(odd.root, 'out')

    await dbmate(database.url, out, 'up')
    expect(await catalogOf(database.url)).toEqual(await catalogOf(odd.url))

    for (const _ of await readdir(out)) await dbmate(database.url, out, 'rollback')
    expect(await catalogOf(database.url)).toEqual(empty)
  })

  test.skipIf(!hasPsql)('goes up by psql', async () => {
    await using odd = await createOdd()
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    expect(await odd.migrate('upgrade')).toMatchObject({ exitCode: 0, stderr: expect.any(String) })
    await odd.migrate('export', '--format', 'sql', '--out', 'out')

    expect(await runPsql(database.url, join(odd.root, 'out', 'upgrade.sql'))).toMatchObject({ exitCode: 0 })
    expect(await catalogOf(database.url)).toEqual(await catalogOf(odd.url))
  })

  test.each(emulated)('goes up and down as %s reads it', async (runner) => {
    await using odd = await createOdd()
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    expect(await odd.migrate('upgrade')).toMatchObject({ exitCode: 0, stderr: expect.any(String) })
    expect(await odd.migrate('export', '--format', runner, '--out', 'out')).toMatchObject({ exitCode: 0 })
    const migrations = readMigrations(runner, await readFiles(join(odd.root, 'out')))

    await runMigrations(database.url, migrations, 'up')
    expect(await catalogOf(database.url)).toEqual(await catalogOf(odd.url))

    await runMigrations(database.url, migrations, 'down')
    expect(await catalogOf(database.url)).toEqual(empty)
  })

  test.each(emulated)('builds a schema whose name is filled in, as %s reads it', async (runner) => {
    await using workspace = await createTenants()
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await query(database.url, `create schema ${filledIn}`)
    expect(await workspace.migrate('export', '-d', 'tenant', '--format', runner, '--out', 'open')).toMatchObject({
      exitCode: 0,
    })
    await workspace.migrate('export', '-d', 'tenant', '--format', runner, '--out', 'named', '--schema', filledIn)
    const open = readMigrations(runner, fillIn(await readFiles(join(workspace.root, 'open'))))
    const named = readMigrations(runner, await readFiles(join(workspace.root, 'named')))

    await runMigrations(database.url, open, 'up')
    expect(await tablesOf(database.url)).toEqual([`${filledIn}.notes`, `${filledIn}.tags`])

    await runMigrations(database.url, named, 'down')
    expect(await tablesOf(database.url)).toEqual([])
  })

  test.skipIf(dbmateProgram === undefined)('builds a named schema by dbmate, which finds its own table', async () => {
    await using workspace = await createTenants()
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await query(database.url, `create schema ${filledIn}`)
    await workspace.migrate('export', '-d', 'tenant', '--format', 'dbmate', '--out', 'out', '--schema', filledIn)

    // Without a schema, it asks in each transaction where its table is.
    await dbmate(database.url, join(workspace.root, 'out'), 'up', 'schema_migrations')

    expect(await tablesOf(database.url)).toEqual(['public.schema_migrations', `${filledIn}.notes`, `${filledIn}.tags`])
  })

  test.each(emulated)('what has no way back is not gone past, as %s reads it', async (runner) => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('main', { create: false })
    await workspace.addRevision('main', { id: id(1), up: 'create table users (name text);\n', down: null })
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await workspace.migrate('export', '--format', runner, '--out', 'out')
    const migrations = readMigrations(runner, await readFiles(join(workspace.root, 'out')))
    await runMigrations(database.url, migrations, 'up')

    await expect(runMigrations(database.url, migrations, 'down')).rejects.toThrow(/cannot be reverted|no way back/)
    expect(await tablesOf(database.url)).toContain('public.users')
  })
})

/** What a template step does, for runners that have no placeholders of their own. */
function fillIn(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].map(([name, text]) => [name, text.replaceAll('{{schema}}', filledIn)]))
}

/** Its table is where Drover's own would be, which no catalog tells. */
async function dbmate(url: string, path: string, command: string, table = 'drover.schema_migrations'): Promise<void> {
  const where = ['--url', `${url}?sslmode=disable`, '--migrations-dir', path, '--migrations-table', table]
  await promisify(execFile)(dbmateProgram!, [...where, '--no-dump-schema', command], { env: {} })
}

async function tablesOf(url: string): Promise<readonly string[]> {
  return queryColumn(
    url,
    `select schemaname || '.' || tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  )
}

/** A history of tenants: its names have no schema. */
async function createTenants(): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('main', { create: false })
  await workspace.addDatabase('tenant', { create: false })
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, schemaPerTenant } from '@drover/config'\n\nexport default defineDatabase({ name: 'tenant', tenants: schemaPerTenant() })\n`,
  )
  for (const [at, table] of ['notes', 'tags'].entries()) {
    await workspace.addRevision('tenant', {
      id: `aaaa0000000${at}`,
      up: `create table ${table} (text text);\n`,
      down: `drop table ${table};\n`,
    })
  }
  return workspace
}

const id = (number: number) => `aaaa0000000${number}`

/** Branches that join, with what runs in a transaction, without one and with its own, and what leaves its session changed. */
async function createOdd(): Promise<TestWorkspace & { readonly url: string }> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: id(1),
    created: '2026-11-20T10:00:02.000Z',
    up: `
-- Semicolons; and dashes --
create table users (name text default ';', age int);
create function touch() returns trigger language plpgsql as $$
begin
  new.age = new.age + 1; -- one; more
  return new;
end
$$;
create function twice(age int) returns int language sql begin atomic select case when true then age * 2 end; end;
do $x$ begin execute 'create view adults as select name from users where age > 17;'; end $x$;
`,
    down: 'drop view adults; drop function twice; drop function touch; drop table users;',
  })
  // Made before its parent, as far as clocks tell.
  await workspace.addRevision('main', {
    id: id(2),
    created: '2026-11-20T10:00:01.000Z',
    transaction: 'none',
    up: 'create index concurrently by_name on users (name);\n-- The other;\ncreate index concurrently by_age on users (age)',
    down: 'drop index concurrently by_age;\ndrop index concurrently by_name;',
  })
  await workspace.addRevision('main', {
    id: id(3),
    created: '2026-11-20T10:00:01.000Z',
    parents: [id(1)],
    up: `select set_config('search_path', '', false);
create temp table kept (id int);
create table public.pets (name text);`,
    down: 'drop table public.pets;',
  })
  await workspace.addRevision('main', {
    id: id(4),
    parents: [id(2), id(3)],
    up: '-- Joins two branches; nothing to change.\n',
    down: '-- Parts them again.\n',
  })
  await workspace.addRevision('main', {
    id: id(5),
    transaction: 'own',
    up: 'begin;\ncreate type mood as enum ($$a;b$$);\ncommit;\nbegin;\nalter table pets add mood mood;\ncommit;\n',
    down: 'begin; alter table pets drop mood; drop type mood; commit;',
  })
  await workspace.addRevision('main', {
    id: id(6),
    up: 'create temp table kept (id int);\ncreate table toys (name text);\n',
    down: 'drop table toys;',
  })
  return { ...workspace, url }
}
