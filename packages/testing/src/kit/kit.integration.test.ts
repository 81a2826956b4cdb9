import { randomBytes } from 'node:crypto'

import { beforeEach, describe, expect, inject, test } from 'vitest'

import { createExampleWorkspace, type ExampleWorkspace } from '../example-workspace.ts'
import { headsAreSingle } from './heads.ts'
import { everyRevisionGoesUpAndDown } from './up-and-down.ts'
import { upgradeWithData } from './upgrade-with-data.ts'

let workspace: ExampleWorkspace
let options: { readonly root: string; readonly server: string }
let shop: string

beforeEach(async () => {
  workspace = await createExampleWorkspace()
  options = { root: workspace.root, server: inject('serverUrl') }
  shop = `shop${randomBytes(3).toString('hex')}`
  await workspace.addDatabase(shop)
  await workspace.addRevision(shop, {
    id: 'aaaaaaaaaaa1',
    up: 'create table item (id int primary key, done boolean not null default false);\n',
    down: 'drop table item;\n',
  })
  return () => workspace[Symbol.asyncDispose]()
})

describe('every revision goes up and down', () => {
  test('and those without a way back are told', async () => {
    const folder = await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa2',
      up: 'alter table item add name text;\n',
      down: null,
    })
    await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa3',
      up: 'create index concurrently by_name on item (name);\n',
      down: 'drop index concurrently by_name;\n',
      transaction: 'none',
    })

    const found = await everyRevisionGoesUpAndDown(shop, options)

    expect(folder).toContain('aaaaaaaaaaa2')
    expect(found).toEqual({
      proved: ['aaaaaaaaaaa1', 'aaaaaaaaaaa3'],
      skipped: [expect.stringMatching(/aaaaaaaaaaa2.*down\.sql/)],
    })
  })

  test('in branches, and where they are joined', async () => {
    const branch = { parents: ['aaaaaaaaaaa1'] }
    await workspace.addRevision(shop, {
      id: 'bbbbbbbbbbb1',
      up: 'create table b ();',
      down: 'drop table b;',
      ...branch,
    })
    await workspace.addRevision(shop, {
      id: 'ccccccccccc1',
      up: 'create table c ();',
      down: 'drop table c;',
      ...branch,
    })
    await workspace.addRevision(shop, {
      id: 'ddddddddddd1',
      up: 'create table d ();',
      down: 'drop table d;',
      parents: ['bbbbbbbbbbb1', 'ccccccccccc1'],
    })

    expect((await everyRevisionGoesUpAndDown(shop, options)).proved).toEqual([
      'aaaaaaaaaaa1',
      'bbbbbbbbbbb1',
      'ccccccccccc1',
      'ddddddddddd1',
    ])
  })

  test('or the revision is named whose way down leaves something, with what it leaves', async () => {
    const folder = await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa2',
      up: 'alter table item add name text, add price int;\n',
      down: 'alter table item drop name;\n',
    })

    await expect(everyRevisionGoesUpAndDown(shop, options)).rejects.toMatchObject({
      code: 'NOT_PROVED',
      message: expect.stringMatching(
        new RegExp(
          `${shop}: ${folder}: its way down does not undo its way up:[^]*table public\\.item: column price should not`,
        ),
      ),
    })
  })

  test('or the revision is named whose way down fails, with the statement', async () => {
    await workspace.addRevision(shop, { id: 'aaaaaaaaaaa2', up: 'select 1;\n', down: 'drop table itme;\n' })

    await expect(everyRevisionGoesUpAndDown(shop, options)).rejects.toThrow(/down\.sql:1[^]*drop table itme/)
  })
})

describe('heads', () => {
  test('are single in every history', async () => {
    await expect(headsAreSingle(options)).resolves.toBeUndefined()
  })

  test('are listed where there are several, with what joins them', async () => {
    await workspace.addRevision(shop, { id: 'bbbbbbbbbbb1', up: 'select 1;', parents: ['aaaaaaaaaaa1'] })
    await workspace.addRevision(shop, { id: 'ccccccccccc1', up: 'select 1;', parents: ['aaaaaaaaaaa1'] })

    await expect(headsAreSingle(options)).rejects.toThrow(`pnpm migrate merge bbbbbbbbbbb1 ccccccccccc1 -d ${shop}`)
  })
})

describe('a revision with data', () => {
  const change = { revision: 'aaaaaaaaaaa2', seed: 'insert into item values (1, true), (2, false)' }
  beforeEach(async () => {
    await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa2',
      up: `alter table item add status text;\nupdate item set status = case when done then 'done' else 'open' end;\n`,
      down: 'alter table item drop status;\n',
    })
    await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: 'drop table item;\n', down: null })
  })

  const failing = (more: object) =>
    upgradeWithData(shop, { ...options, ...change, expect: async () => undefined, ...more })

  test('is applied to rows that were put in before it, and reverted when that is asked for', async () => {
    const seen: unknown[] = []
    await upgradeWithData(shop, {
      ...options,
      ...change,
      expect: async (sql) => seen.push(...(await sql`select * from item order by id`)),
      expectAfterDown: async (sql) => seen.push(...(await sql`select * from item order by id`)),
    })

    expect(seen).toEqual([
      { id: 1, done: true, status: 'done' },
      { id: 2, done: false, status: 'open' },
      { id: 1, done: true },
      { id: 2, done: false },
    ])
  })

  test('may be several revisions, all of which are reverted', async () => {
    await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa4',
      up: 'alter table item rename to thing;\n',
      down: 'alter table thing rename to item;\n',
      parents: ['aaaaaaaaaaa2'],
    })
    const seen: unknown[] = []
    await upgradeWithData(shop, {
      ...options,
      revision: 'aaaaaaaaaaa4',
      from: 'aaaaaaaaaaa1',
      seed: change.seed,
      expect: async (sql) => seen.push(...(await sql`select id, status from thing order by id`)),
      expectAfterDown: async (sql) => seen.push(...(await sql`select * from item order by id`)),
    })

    expect(seen).toEqual([
      { id: 1, status: 'done' },
      { id: 2, status: 'open' },
      { id: 1, done: true },
      { id: 2, done: false },
    ])
  })

  test('may be several revisions, from one that is named', async () => {
    const seen: unknown[] = []
    await upgradeWithData(shop, {
      ...options,
      revision: 'aaaaaaaaaaa3',
      from: 'aaaaaaaaaaa1',
      seed: async (sql) => sql`insert into item values (1)`,
      expect: async (sql) => seen.push(...(await sql`select to_regclass('item')::text as item`)),
    })

    expect(seen).toEqual([{ item: null }])
  })

  test('fails with what the expectation says, with the statement that cannot be run, and with unknown names', async () => {
    await expect(failing({ expect: () => Promise.reject(new Error('not as it should be')) })).rejects.toThrow(
      'not as it should be',
    )
    await expect(failing({ seed: 'insert into itme values (1)' })).rejects.toThrow('relation "itme" does not exist')
    await expect(failing({ revision: 'feedfeedfeed' })).rejects.toThrow('feedfeedfeed')
    await expect(failing({ from: 'aaaaaaaaaaa3' })).rejects.toThrow('not below')
    await expect(failing({ revision: 'aaaaaaaaaaa3', expectAfterDown: async () => {} })).rejects.toThrow('no way down')
  })
})
