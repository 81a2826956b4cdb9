import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { catalogOf, query, queryColumn, readApplied, readStore } from './harness/query.ts'
import {
  createRepositoryDatabases,
  type DatabaseName,
  databaseNames,
  type HistoryName,
  historyNames,
  migrationsOf,
  repository,
  type RepositoryDatabases,
  withoutTenants,
} from './harness/repository-databases.ts'
import { createWorkspace } from './harness/workspace.ts'

const reverseOrder = databaseNames.toReversed()

test('up, down to base and up again leaves the databases with the catalogs of the first time', async () => {
  await using databases = await createRepositoryDatabases()
  const empty = await forEach((name) => catalogOf(databases.urls[name]))

  expect(await databases.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  const first = await forEach((name) => catalogOf(databases.urls[name]))
  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual(await forEach(revisionsOnDisk))

  expect(await databases.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
  expect(await forEach((name) => catalogOf(databases.urls[name]))).toEqual(empty)
  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual(await forEach(() => []))

  expect(await databases.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  const second = await forEach((name) => catalogOf(databases.urls[name]))
  for (const name of databaseNames) {
    expect(first[name].length).toBeGreaterThan(empty[name].length + 50)
    expect(second[name]).toEqual(first[name])
  }
})

test('a second upgrade says that there is nothing to do and writes nothing', async () => {
  await using databases = await createRepositoryDatabases()
  await databases.migrate('upgrade')
  const catalogs = await forEach((name) => catalogOf(databases.urls[name]))
  const stores = await forEach((name) => readStore(databases.urls[name]))

  const again = await databases.migrate('upgrade')

  expect(again).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('nothing to do') })
  for (const name of databaseNames) expect(again.stdout).toMatch(new RegExp(`^${name} +up to date`, 'm'))
  expect(await forEach((name) => catalogOf(databases.urls[name]))).toEqual(catalogs)
  expect(await forEach((name) => readStore(databases.urls[name]))).toEqual(stores)
})

test('current says that every database is up to date after an upgrade, and by how much it is behind before', async () => {
  await using databases = await createRepositoryDatabases()
  const onDisk = await forEach(revisionsOnDisk)

  const before = await databases.migrate('current', '--json')
  await databases.migrate('upgrade')
  const after = await databases.migrate('current', '--json')

  expect(before).toMatchObject({ exitCode: 0, stderr: '' })
  expect(withoutTenants(before.json())).toEqual(
    databaseNames.map((name) =>
      expect.objectContaining({
        name,
        targets: [expect.objectContaining({ state: 'behind', current: [], pending: onDisk[name] })],
      }),
    ),
  )
  expect(after).toMatchObject({ exitCode: 0, stderr: '' })
  expect(withoutTenants(after.json())).toEqual(
    databaseNames.map((name) =>
      expect.objectContaining({
        name,
        targets: [
          expect.objectContaining({
            state: 'up-to-date',
            current: [onDisk[name].at(-1)],
            heads: [onDisk[name].at(-1)],
            pending: [],
          }),
        ],
      }),
    ),
  )
})

test('downgrade reverts the last revision of each database, the last database first', async () => {
  await using databases = await createRepositoryDatabases()
  await databases.migrate('upgrade')
  const applied = await forEach((name) => readApplied(databases.urls[name]))

  const down = await databases.migrate('downgrade')

  expect(down.exitCode).toBe(0)
  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual(
    await forEach((name) => applied[name].slice(0, -1)),
  )
  const reverted = down.stderr.split('\n').filter((line) => line.includes(' reverted '))
  expect(reverted.map((line) => line.split(/ +/).slice(0, 3))).toEqual(
    reverseOrder.map((name) => [name, 'reverted', applied[name].at(-1)]),
  )
  // All four are on one server, so one clock says which came first.
  const runs = await forEach((name) => lastRun(databases.urls[name]))
  expect(databaseNames.toSorted((a, b) => runs[a]['started'] - runs[b]['started'])).toEqual(reverseOrder)
  expect(new Set(databaseNames.map((name) => runs[name]['release'])).size).toBe(1)
})

test('downgrade base and upgrade +1 of one database leave the others alone', async () => {
  await using databases = await createRepositoryDatabases()
  await databases.migrate('upgrade')
  const onDisk = await revisionsOnDisk('gdpr')
  const catalog = await catalogOf(databases.urls.gdpr)
  const others = await readOthers(databases)

  expect(await databases.migrate('downgrade', 'base', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(databases.urls.gdpr)).toEqual([])
  expect(await catalogOf(databases.urls.gdpr)).not.toEqual(catalog)

  expect(await databases.migrate('upgrade', '+1', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(databases.urls.gdpr)).toEqual(onDisk.slice(0, 1))
  expect(await queryColumn(databases.urls.gdpr, `select to_regclass('user_profiles')::text`)).toEqual(['user_profiles'])
  expect(await queryColumn(databases.urls.gdpr, `select to_regclass('audit_logs')::text`)).toEqual([null])

  const rest = await databases.migrate('upgrade')
  expect(rest.exitCode).toBe(0)
  expect(rest.stdout).toMatch(new RegExp(`^gdpr +${onDisk.length - 1} revisions applied$`, 'm'))
  expect(rest.stdout).toMatch(/^main +up to date/m)
  expect(await readApplied(databases.urls.gdpr)).toEqual(onDisk)
  expect(await catalogOf(databases.urls.gdpr)).toEqual(catalog)
  expect(await readOthers(databases)).toEqual(others)
})

test('history lists the revisions of every database, newest first, without a server', async () => {
  await using databases = await createRepositoryDatabases()
  const unreachable = 'postgres://nobody@127.0.0.1:1/nowhere'
  const env = Object.fromEntries(
    Object.keys(databases.env)
      .filter(isUrl)
      .map((variable) => [variable, unreachable]),
  )

  const text = await databases.start(['history'], { env }).ended
  const document = (await databases.start(['history', '--json'], { env }).ended).json()

  expect(text).toMatchObject({ exitCode: 0, stderr: '' })
  const onDisk = await Promise.all(historyNames.map(async (name) => [name, await revisionsOnDisk(name)] as const))
  expect(text.stdout.match(/^ {2}[0-9a-f]{12}/gm)?.map((line) => line.trim())).toEqual(
    onDisk.flatMap(([, ids]) => ids.toReversed()),
  )
  expect(document.databases.map(({ name, revisions }: any) => [name, revisions.map(({ id }: any) => id)])).toEqual(
    onDisk,
  )
  expect(text.stdout).toContain('replace tasks.completed with tasks.status')
})

test('a user who owns the databases and is no superuser can do all of it', async () => {
  await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
  expect(
    await forEach((name) =>
      queryColumn(databases.urls[name], 'select rolsuper from pg_roles where rolname = current_user'),
    ),
  ).toEqual(await forEach(() => [false]))

  expect(await databases.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  const first = await forEach((name) => catalogOf(databases.urls[name]))
  expect(await databases.migrate('downgrade')).toMatchObject({ exitCode: 0 })
  expect(await databases.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual(await forEach(() => []))
  expect(await databases.migrate('upgrade')).toMatchObject({ exitCode: 0 })

  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual(await forEach(revisionsOnDisk))
  expect(await forEach((name) => catalogOf(databases.urls[name]))).toEqual(first)
})

test('in the folder of a database, commands act on that database only', async () => {
  await using databases = await createRepositoryDatabases()
  const cwd = join(repository, 'databases', 'credentials')
  const onDisk = await revisionsOnDisk('credentials')

  const upgrade = await databases.start(['upgrade'], { cwd }).ended
  const current = await databases.start(['current', '--json'], { cwd: join(cwd, 'migrations') }).ended

  expect(upgrade.exitCode).toBe(0)
  expect(await forEach((name) => readApplied(databases.urls[name]))).toEqual({
    credentials: onDisk,
    main: [],
    gdpr: [],
    test: [],
  })
  expect(current.json().databases).toEqual([
    { name: 'credentials', targets: [expect.objectContaining({ state: 'up-to-date' })] },
  ])
  expect(await databases.start(['downgrade'], { cwd }).ended).toMatchObject({ exitCode: 0 })
  expect(await readApplied(databases.urls.credentials)).toEqual(onDisk.slice(0, -1))
})

test('what a revision creates does not end up among the tables of Drover, whatever the search_path finds first', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  // As "$user", public does it for a user named drover.
  await query(url, `alter database ${new URL(url).pathname.slice(1)} set search_path = drover, public`)
  await workspace.addRevision('main', {
    id: 'aaaa00000001',
    up: 'create table note (id int);\n',
    down: 'drop table note;\n',
  })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, `select schemaname from pg_tables where tablename = 'note'`)).toEqual(['public'])

  expect(await workspace.migrate('downgrade')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, `select schemaname from pg_tables where tablename = 'note'`)).toEqual([])
})

async function forEach<Value>(
  read: (name: DatabaseName) => Value | Promise<Value>,
): Promise<Record<DatabaseName, Value>> {
  const entries = databaseNames.map(async (name) => [name, await read(name)] as const)
  return Object.fromEntries(await Promise.all(entries)) as Record<DatabaseName, Value>
}

/** The ids of a database's revisions, oldest first, from the files alone: their folders begin with the time, and each follows the one before. */
async function revisionsOnDisk(name: HistoryName): Promise<readonly string[]> {
  const folder = migrationsOf(name)
  const revisions = (await readdir(folder)).toSorted()
  const files = revisions.map((revision) => import(join(folder, revision, 'revision.json'), { with: { type: 'json' } }))
  return (await Promise.all(files)).map((file) => file.default.id)
}

async function lastRun(url: string): Promise<Record<string, any>> {
  const [run] = await query(
    url,
    `select release, extract(epoch from started_at)::float8 as started from drover.run order by started_at desc limit 1`,
  )
  return { ...run, started: Number(run!['started']) }
}

async function readOthers({ urls }: RepositoryDatabases): Promise<readonly (readonly string[])[]> {
  const others = databaseNames.filter((name) => name !== 'gdpr')
  return Promise.all(others.flatMap((name) => [catalogOf(urls[name]), readStore(urls[name])]))
}

function isUrl(variable: string): boolean {
  return variable.endsWith('DATABASE_URL')
}
