import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openConnection, readCatalog } from '@drover/engine'
import type { Revision } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { createShadow, replayHistory, type Shadow } from './shadow.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

describe('createShadow', () => {
  it('is an empty database, which is dropped when it is no longer needed', async () => {
    const shadow = await createShadow(inject('serverUrl'))
    expect((await readCatalog(shadow.connection)).filter((line) => line.startsWith('table '))).toEqual([])

    await shadow[Symbol.asyncDispose]()

    expect(await databasesLike(shadow)).toEqual([])
  })

  it('says what keeps it from being created, without the password', async () => {
    const url = new URL(inject('serverUrl'))
    url.port = '1'
    url.password = 'secret'

    const refused = createShadow(url.href)

    await expect(refused).rejects.toMatchObject({
      code: 'SHADOW_FAILED',
      message: expect.stringMatching(/^no shadow could be created: .*ECONNREFUSED/),
    })
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('secret') })
  })

  it('can be copied while its connection is in use, and goes on afterwards', async () => {
    await using shadow = await createShadow(inject('serverUrl'))
    await shadow.connection.send('create table users (id int)')

    await using copy = await shadow.copy()
    await copy.connection.send('insert into users values (1)')

    expect(await shadow.connection.send('select id from users')).toEqual([])
    expect(await copy.connection.send('select id from users')).toEqual([{ id: 1 }])
  })

  it('has a URL that others can connect with', async () => {
    await using shadow = await createShadow(inject('serverUrl'))

    expect(new URL(shadow.url.revealUrl()).password).toBe(new URL(inject('serverUrl')).password)
    expect(new URL(shadow.url.revealUrl()).pathname).toBe(`/${shadow.url.database}`)
  })
})

describe('replayHistory', () => {
  it('runs every revision in a transaction of its own', async () => {
    await using root = await workspace({
      one: `create type mood as enum ('sad'); set local check_function_bodies = off; -- the end`,
      two: `alter type mood add value 'ok'`,
      three: `create table days (mood mood default 'ok')`,
      four: `create table settings as select current_setting('check_function_bodies') as bodies`,
    })

    await using shadow = await replayHistory(inject('serverUrl'), root.path, root.revisions)

    expect(await shadow.connection.send('select bodies from settings')).toEqual([{ bodies: 'on' }])
  })

  it.each([
    [{ range: { key: 'users.id', size: 2 }, pauseMs: 0 }, 'update users set n = n + 1 where id > :from and id <= :to'],
    [{ pauseMs: 0 }, 'update users set n = 1 where id in (select id from users where n = 0 limit 2)'],
  ])('runs a revision in batches, with rows and without: %j', async (batch, two) => {
    for (const rows of [0, 5]) {
      const one = `create table users (id int primary key, n int default 0); insert into users select generate_series(1, ${rows})`
      await using root = await workspace({ one, two }, { two: { batch } })

      await using shadow = await replayHistory(inject('serverUrl'), root.path, root.revisions)

      expect(await shadow.connection.send('select sum(n)::int from users')).toEqual([{ sum: rows || null }])
    }
  })

  it.each([
    [
      { range: { key: 'users.id', size: 2 }, pauseMs: 0 },
      'delete from nobody where id > :from and id <= :to',
      'nobody',
    ],
    [
      { range: { key: 'users.no', size: 2 }, pauseMs: 0 },
      'delete from users where id > :from and id <= :to',
      'users.no',
    ],
    [{ pauseMs: 0 }, 'delete from nobody', 'relation "nobody" does not exist'],
    [{ pauseMs: 0 }, 'update users set id = id', 'still changes rows after 1000 batches'],
  ])('says what is wrong with a revision in batches: %j %s', async (batch, two, told) => {
    const one = 'create table users (id int primary key); insert into users values (1)'
    await using root = await workspace({ one, two }, { two: { batch } })

    await expect(replayHistory(inject('serverUrl'), root.path, root.revisions)).rejects.toMatchObject({
      code: 'SHADOW_FAILED',
      message: expect.stringContaining(told),
    })
  })

  it('runs a revision without a transaction statement by statement', async () => {
    await using root = await workspace({
      one: 'create table users (id int)',
      two: 'create index concurrently by_id on users (id);\ncreate index concurrently by_id_again on users (id);',
      three: 'drop index by_id',
    })
    const revisions = root.revisions.map((revision): Revision =>
      revision.message === 'two' ? { ...revision, transaction: 'none' } : revision,
    )

    await using shadow = await replayHistory(inject('serverUrl'), root.path, revisions)

    expect((await readCatalog(shadow.connection)).filter((line) => line.includes(' index '))).toEqual([
      'table public.users index by_id_again: CREATE INDEX by_id_again ON public.users USING btree (id)',
    ])
  })

  it('names revision, file, line and statement of what fails, and leaves no database behind', async () => {
    await using root = await workspace({
      one: 'create table users (id int)',
      two: '-- A comment.\ncreate table posts (id int);\nalter table users\n  add column id int;',
    })

    await expect(replayHistory(inject('serverUrl'), root.path, root.revisions)).rejects.toMatchObject({
      problems: [
        {
          code: 'SHADOW_FAILED',
          message:
            'no shadow can be built of the history: migrations/two/migration.sql:3: column "id" of relation "users" already exists',
          revision: root.revisions[1]!.id,
          file: 'migrations/two/migration.sql',
          line: 3,
          statement: 'alter table users\n  add column id int',
          sqlstate: '42701',
        },
      ],
    })
  })

  it('tells a constraint that is broken at the end of a transaction', async () => {
    await using root = await workspace({
      one: `create table users (id int primary key, boss int references users deferrable initially deferred);
        insert into users values (1, 2)`,
    })

    await expect(replayHistory(inject('serverUrl'), root.path, root.revisions)).rejects.toMatchObject({
      code: 'SHADOW_FAILED',
      message: expect.stringContaining('migrations/one/migration.sql, at the end of its transaction: insert or update'),
    })
  })

  it('refuses what is not filled in yet, and says what to do', async () => {
    await using root = await workspace({ one: '-- drover:unfilled\n', two: 'create table users (id int)' })

    await expect(replayHistory(inject('serverUrl'), root.path, root.revisions)).rejects.toMatchObject({
      problems: [
        {
          code: 'SHADOW_FAILED',
          message: 'no shadow can be built of the history: migrations/one/migration.sql is not filled in yet',
          hint: expect.stringContaining('write its statements'),
          line: 1,
        },
      ],
    })
  })
})

/** A workspace with revisions in a row, by their names. */
async function workspace(
  scripts: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, Partial<Revision>>> = {},
) {
  const path = await mkdtemp(join(tmpdir(), 'drover-shadow-'))
  const revisions: Revision[] = []
  for (const [name, sql] of Object.entries(scripts)) {
    const folder = `migrations/${name}`
    await mkdir(join(path, folder), { recursive: true })
    await writeFile(join(path, folder, 'migration.sql'), sql)
    revisions.push({
      id: String(revisions.length + 1).padStart(12, '0'),
      parents: revisions.slice(-1).map(({ id }) => id),
      dependsOn: [],
      labels: [],
      message: name,
      created: '2026-01-01T00:00:00.000Z',
      folder,
      reversible: false,
      ...fields[name],
    })
  }
  return { path, revisions, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

async function databasesLike({ url }: Shadow): Promise<readonly unknown[]> {
  await using connection = openConnection(url.withDatabase('postgres'))
  return await connection.send(`select datname from pg_database where datname = '${url.database}'`)
}
