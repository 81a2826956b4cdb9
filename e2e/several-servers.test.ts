import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { pickServer } from '@drover/server'
import { expect, inject, test } from 'vitest'

import { hasStore, queryColumn, readApplied, readStore } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames, withoutTenants } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

test('credentials on a server of its own: each server gets its databases, and one command moves all', async () => {
  await using other = await pickServer({ DROVER_TEST_SERVER: 'embedded' })
  await using databases = await createRepositoryDatabases({ servers: { credentials: other.url } })
  expect(serverOf(databases.urls.credentials)).not.toBe(serverOf(databases.urls.main))

  const upgrade = await databases.migrate('upgrade')

  expect(upgrade).toMatchObject({ exitCode: 0 })
  for (const name of databaseNames) {
    const { pathname } = new URL(databases.urls[name])
    expect(upgrade.stdout).toMatch(
      new RegExp(`^ {2}${name} +postgres://\\S+@${serverOf(databases.urls[name])}${pathname}$`, 'm'),
    )
  }
  expect(await tablesOf(databases.urls.credentials)).toEqual(expect.arrayContaining(['sessions', 'user_credentials']))
  expect(await tablesOf(databases.urls.main)).toEqual(expect.arrayContaining(['tenants', 'users']))
  expect(await tablesOf(databases.urls.main)).not.toContain('user_credentials')
  const current = await databases.migrate('current', '--json')
  expect(withoutTenants(current.json()).map(({ targets }) => targets[0].state)).toEqual(
    databaseNames.map(() => 'up-to-date'),
  )

  expect(await databases.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
  for (const name of databaseNames) expect(await tablesOf(databases.urls[name])).toEqual([])
})

test('main alone needs no secret of credentials', async () => {
  await using databases = await createRepositoryDatabases()

  const upgrade = await databases.start(['upgrade', '-d', 'main'], { env: { CREDENTIALS_DATABASE_URL: '' } }).ended

  expect(upgrade).toMatchObject({ exitCode: 0 })
  expect(await tablesOf(databases.urls.main)).toContain('tenants')
  for (const name of databaseNames.filter((one) => one !== 'main'))
    expect(await hasStore(databases.urls[name])).toBe(false)
})

test.each([
  // Tenants are where main is, if nobody says otherwise.
  ['DATABASE_URL', ['main', 'tenant']],
  ['CREDENTIALS_DATABASE_URL', ['credentials']],
  ['GDPR_DATABASE_URL', ['gdpr']],
  ['TEST_DATABASE_URL', ['test']],
])('without %s nothing is begun anywhere, and it is asked for', async (variable, missing) => {
  await using databases = await createRepositoryDatabases()

  const refused = await databases.start(['upgrade', '--json'], { env: { [variable]: '' } }).ended

  expect(refused.exitCode).toBe(2)
  expect(refused.json().problems).toEqual(
    missing.map((database) =>
      expect.objectContaining({
        code: 'URL_MISSING',
        database,
        hint: expect.stringMatching(new RegExp(`^set (\\S+ or )*${variable}( or|,)`)),
      }),
    ),
  )
  for (const name of databaseNames) expect(await hasStore(databases.urls[name])).toBe(false)
})

test.each([['plan'], ['current'], ['check'], ['stamp', 'base'], ['drift'], ['downgrade', '-1'], ['repair']])(
  'main alone needs no secret of credentials for %s either, and all databases do',
  async (...words) => {
    await using databases = await createRepositoryDatabases()
    await databases.migrate('upgrade')
    const stores = await storesOf(databases.urls)
    const missing = join(tmpdir(), 'drover-no-such-secret')
    const env = { CREDENTIALS_DATABASE_URL: '', CREDENTIALS_DATABASE_URL_FILE: missing }

    const refused = await databases.start(words, { env }).ended
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('CREDENTIALS_DATABASE_URL') })
    expect(await storesOf(databases.urls)).toEqual(stores)

    expect(await databases.start([...words, '-d', 'main'], { env }).ended).toMatchObject({ exitCode: 0 })
  },
)

test.each(['first', 'last'])(
  'the server of the %s database being down is found out before anything is changed',
  async (down) => {
    await using workspace = await createWorkspace()
    const first = await workspace.addDatabase('first')
    const last = await workspace.addDatabase('last', { after: ['first'] })
    await addTable(workspace, 'first')
    await addTable(workspace, 'last')
    const gone = await stoppedServer()
    const env = { [`${down.toUpperCase()}_DATABASE_URL`]: gone }

    const refused = await workspace.start(['upgrade', '--json'], { env }).ended

    expect(refused.exitCode).toBe(2)
    expect(refused.json().problems).toEqual([
      expect.objectContaining({
        code: 'UNREACHABLE',
        database: down,
        message: expect.stringContaining(serverOf(gone)),
      }),
    ])
    expect(`${refused.stdout}${refused.stderr}`).not.toContain(new URL(gone).password)
    expect([await hasStore(first), await hasStore(last)]).toEqual([false, false])
    expect([await tablesOf(first), await tablesOf(last)]).toEqual([[], []])
  },
)

test('a downgrade changes nothing either when one server is down, and current still shows the others', async () => {
  await using workspace = await createWorkspace()
  const first = await workspace.addDatabase('first')
  const last = await workspace.addDatabase('last', { after: ['first'] })
  const id = await addTable(workspace, 'first')
  await addTable(workspace, 'last')
  await workspace.migrate('upgrade')
  const stores = [await readStore(first), await readStore(last)]
  const env = { FIRST_DATABASE_URL: await stoppedServer() }

  const downgrade = await workspace.start(['downgrade'], { env }).ended
  const current = await workspace.start(['current', '--json'], { env }).ended

  expect(downgrade.exitCode).toBe(2)
  expect([await readStore(first), await readStore(last)]).toEqual(stores)
  expect(await readApplied(last)).toEqual([id.last])
  expect(current.exitCode).toBe(2)
  expect(current.json().databases).toEqual([
    { name: 'first', targets: [expect.objectContaining({ state: 'unreachable' })] },
    { name: 'last', targets: [expect.objectContaining({ state: 'up-to-date', current: [id.last] })] },
  ])
})

const ids = { first: 'aaaa00000001', last: 'bbbb00000001' } as const

async function addTable(workspace: TestWorkspace, database: 'first' | 'last'): Promise<typeof ids> {
  await workspace.addRevision(database, {
    id: ids[database],
    up: 'create table note (id integer primary key);\n',
    down: 'drop table note;\n',
  })
  return ids
}

async function storesOf(urls: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  return Promise.all(Object.values(urls).map(readStore))
}

/** The URL of a server that has just ended. */
async function stoppedServer(): Promise<string> {
  await using server = await pickServer({ DROVER_TEST_SERVER: 'embedded' })
  expect(serverOf(server.url)).not.toBe(serverOf(inject('serverUrl')))
  return server.url
}

function serverOf(url: string): string {
  return new URL(url).host
}

function tablesOf(url: string): Promise<readonly string[]> {
  return queryColumn(url, `select tablename::text from pg_tables where schemaname = 'public' order by tablename`)
}
