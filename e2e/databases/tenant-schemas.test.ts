import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { type Client, clientOf, contexts, createClient, summaries, withTenant } from '@databases/tenant'
import { createThrowawayDatabase } from '@drover/server'
import postgres from 'postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'

import { catalogOf, query, queryColumn } from '../harness/query.ts'
import { repository } from '../harness/repository-databases.ts'
import { refusalOf } from './migrated-database.ts'

const slugs = ['acme', 'bolt-co', '7_seas']

let url: string
beforeAll(async () => {
  const database = await createThrowawayDatabase(inject('serverUrl'))
  ;({ url } = database)
  for (const slug of slugs) await createTenant(url, slug)
  // What would be found where a tenant's own tables are not.
  await query(url, 'create table public.contexts (id int); create table public.orders (id int)')
  return () => database[Symbol.asyncDispose]()
})

describe('the history', () => {
  test('makes the same in the schema of every tenant, and nothing of theirs elsewhere', async () => {
    const lines = (await catalogOf(url)).map((line) => line.replaceAll('"', ''))
    const of = (slug: string) =>
      lines.flatMap((line) => (line.includes(`tenant_${slug}`) ? [line.replaceAll(`tenant_${slug}`, 'tenant')] : []))

    expect(of('acme').length).toBeGreaterThan(80)
    expect(of('bolt-co').toSorted()).toEqual(of('acme').toSorted())
    expect(of('7_seas').toSorted()).toEqual(of('acme').toSorted())
  })

  test('makes one trigger function for all of them', async () => {
    const functions = await queryColumn(
      url,
      `select pronamespace::regnamespace || '.' || proname from pg_proc where proname = 'touch_updated_at'`,
    )

    expect(functions).toEqual(['tenant_shared.touch_updated_at'])
  })

  test('goes back in one schema without taking anything from the others', async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await createTenant(database.url, 'first')
    await createTenant(database.url, 'second')
    const insert = `insert into contexts (kind, title) values ('note', 'x')`
    await query(database.url, `set search_path = tenant_second; ${insert}`)

    for (const folder of (await revisions()).toReversed()) await run(database.url, 'tenant_first', folder, 'down.sql')

    expect(
      await queryColumn(database.url, `select tablename from pg_tables where schemaname = 'tenant_first'`),
    ).toEqual([])
    const touch = `begin; update contexts set title = 'y', updated_at = '2001-01-01' returning updated_at = now() as touched`
    expect(await query(database.url, `set search_path = tenant_second; ${touch}`)).toEqual([{ touched: true }])
  })

  test('lets two tenants that come at once make the function once', async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    const names = Array.from({ length: 6 }, (_, at) => `tenant_${at}`)
    const before = (await revisions()).slice(0, 2)
    for (const name of names) {
      await query(database.url, `create schema ${name}`)
      for (const folder of before) await run(database.url, name, folder, 'migration.sql')
    }

    const third = (await revisions())[2]!
    await Promise.all(names.map((name) => run(database.url, name, third, 'migration.sql')))

    const calls = `select count(*)::int from pg_trigger where tgfoid = 'tenant_shared.touch_updated_at()'::regprocedure`
    expect(await queryColumn(database.url, calls)).toEqual([names.length * 2])
  })

  test('lets a tenant of another role use the function, and not change it', async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    const role = `${database.name}_other`
    await createTenant(database.url, 'first')
    await query(database.url, `create role ${role}; create schema tenant_other authorization ${role}`)
    try {
      for (const folder of await revisions()) await run(database.url, 'tenant_other', folder, 'migration.sql', role)

      const replace = `create or replace function tenant_shared.touch_updated_at() returns trigger language plpgsql as 'begin end'`
      expect(await refusalOf(database.url, `set role ${role}; ${replace}`)).toBe('42501')
      expect(await refusalOf(database.url, `set role ${role}; create table tenant_shared.x ()`)).toBe('42501')
    } finally {
      await query(database.url, `drop owned by ${role} cascade; drop role ${role}`)
    }
  })
})

describe('withTenant', () => {
  // One connection, so that whatever stayed behind would be found by the next.
  let client: Client
  beforeEach(() => {
    client = createClient(url, { max: 1 })
  })
  afterEach(() => client.$client.end())

  test('writes and reads the rows of the tenant that it names, one after the other on one connection', async () => {
    for (const slug of slugs) {
      await withTenant(client, slug, async (transaction) => {
        const [context] = await transaction
          .insert(contexts)
          .values({ kind: 'note', title: `of ${slug}`, tags: ['x'] })
          .returning()
        await transaction.insert(summaries).values({ contextId: context!.id, contextVersion: context!.version })
      })
    }

    for (const slug of slugs) {
      const found = await withTenant(client, slug, (transaction) =>
        transaction.query.contexts.findMany({ with: { summaries: true } }),
      )
      expect(found).toMatchObject([
        { title: `of ${slug}`, tags: ['x'], accessCount: 0, summaries: [{ kind: 'abstract', status: 'pending' }] },
      ])
    }
  })

  test('leaves the connection as it was, after success and after failure', async () => {
    const path = () => client.$client`show search_path`
    const before = await path()

    await withTenant(client, 'acme', (transaction) => transaction.select().from(contexts))
    expect(await path()).toEqual(before)
    await expect(
      withTenant(client, 'bolt-co', async () => {
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')

    expect(await path()).toEqual(before)
  })

  test('rolls back what failed', async () => {
    await expect(
      withTenant(client, 'acme', async (transaction) => {
        await transaction.insert(contexts).values({ kind: 'note', title: 'never' })
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')

    const titles = await withTenant(client, 'acme', (transaction) =>
      transaction.select({ title: contexts.title }).from(contexts),
    )
    expect(titles).not.toContainEqual({ title: 'never' })
  })

  test('finds no table outside the schema of the tenant', async () => {
    await expect(
      withTenant(client, 'acme', (transaction) => transaction.execute('select from orders')),
    ).rejects.toMatchObject({ cause: { code: '42P01' } })
  })

  test('keeps two tenants apart on connections of one pool at the same time', async () => {
    const pool = createClient(url, { max: 2 })
    try {
      const both = await Promise.all(
        ['acme', 'bolt-co'].map((slug) =>
          withTenant(pool, slug, (transaction) => transaction.execute('select current_schema() as schema')),
        ),
      )
      expect(both.map(([row]) => row)).toEqual([{ schema: 'tenant_acme' }, { schema: 'tenant_bolt-co' }])
    } finally {
      await pool.$client.end()
    }
  })

  test('does not begin for a tenant that is not there', async () => {
    const work = withTenant(client, 'nobody', () => Promise.resolve('reached'))

    await expect(work).rejects.toThrow('There is no tenant nobody: the database has no schema tenant_nobody')
  })

  test.each(['', 'ACME', 'acme", public', `acme'; drop schema public cascade; --`, 'acme\n', 'a'.repeat(57)])(
    'sends nothing for what is no slug: %j',
    async (slug) => {
      const unreachable = createClient('postgres://nobody@127.0.0.1:1/nowhere')

      await expect(withTenant(unreachable, slug, () => Promise.resolve('reached'))).rejects.toThrow(TypeError)
    },
  )

  test('works through a postgres.js client that is there already', async () => {
    const sql = postgres(url, { max: 1 })
    try {
      const schema = withTenant(clientOf(sql), 'acme', (transaction) =>
        transaction.execute('select current_schema() as schema'),
      )
      expect([...(await schema)]).toEqual([{ schema: 'tenant_acme' }])
    } finally {
      await sql.end()
    }
  })
})

/** Makes the schema of a tenant and applies the whole history to it. */
async function createTenant(database: string, slug: string): Promise<void> {
  const schema = `tenant_${slug}`
  await query(database, `create schema "${schema}"`)
  for (const folder of await revisions()) await run(database, schema, folder, 'migration.sql')
}

/** The folders of the revisions, oldest first. */
async function revisions(): Promise<readonly string[]> {
  const migrations = join(repository, 'databases', 'tenant', 'migrations')
  return (await readdir(migrations)).toSorted().map((folder) => join(migrations, folder))
}

/** Runs one side of a revision in one transaction, with nothing but the schema on the search path. */
async function run(database: string, schema: string, folder: string, file: string, role = 'none'): Promise<void> {
  const sql = await readFile(join(folder, file), 'utf8')
  await query(database, `begin; set local role ${role}; set local search_path = "${schema}"; ${sql}; commit`)
}
