import { readCatalog } from '@drover/engine'
import { describe, expect, inject, it } from 'vitest'

import type { ObjectFile } from './objects/object-file.ts'
import { type Candidate, prove, runCandidate, type Verdict } from './prove.ts'
import type { Rename } from './rename.ts'
import { createShadow } from './shadow.ts'
import { makeWish, type SchemaParts, type Wish } from './wish.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

const users = 'create table users (id int primary key, name text)'

describe('prove', () => {
  it('lets a change pass that leads to the schema and back, whatever rows there are', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int not null default 0)'],
      up: ['alter table users add column age int not null default 0'],
      down: ['alter table users drop column age'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('tells the statement that fails, and what the server says', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int)'],
      up: ['alter table users\n  add column age int', 'alter table people add column age int'],
      down: ['alter table users drop column age'],
    })

    expect(verdict).toEqual({
      ok: false,
      side: 'up',
      fault: 'failed',
      reason: `The way up fails:
alter table people add column age int
relation "people" does not exist (SQLSTATE 42P01)`,
      sqlstate: '42P01',
    })
  })

  it('tells what is not as the schema has it', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int not null default 0)'],
      up: [
        'alter table users add column age bigint default 0, add column old int',
        'create index by_age on users (age)',
      ],
      down: ['alter table users drop column age, drop column old'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'different' })
    expect(reasonOf(verdict)).toEqual([
      'The way up does not lead to the schema:',
      'table public.users: column age is bigint default 0, and should be integer not null default 0',
      'table public.users: column old should not be there: integer',
      'table public.users: index by_age should not be there: CREATE INDEX by_age ON public.users USING btree (age)',
    ])
  })

  it('tells eight differences, and how many more there are', async () => {
    const columns = Array.from({ length: 11 }, (_, index) => `add column c${index} int`).join(', ')
    const verdict = await tried({ before: [users], after: [users], up: [`alter table users ${columns}`], down: [] })

    expect(reasonOf(verdict)).toHaveLength(10)
    expect(reasonOf(verdict).at(-1)).toBe('and 3 more')
  })

  it('tells a way up that works on empty tables alone', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int not null)'],
      up: ['alter table users add column age int not null'],
      down: ['alter table users drop column age'],
    })

    expect(verdict).toEqual({
      ok: false,
      side: 'up',
      fault: 'rows',
      reason: `The way up works on empty tables, but fails on rows:
alter table users add column age int not null
column "age" of relation "users" contains null values (SQLSTATE 23502)`,
      sqlstate: '23502',
    })
  })

  it('tells a way down that cannot bring back what rows need', async () => {
    const verdict = await tried({
      before: ['create table users (id int primary key, name text not null)'],
      after: ['create table users (id int primary key)'],
      up: ['alter table users drop column name'],
      down: ['alter table users add column name text not null'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'down', fault: 'rows' })
  })

  it('tells a way down that fails', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int)'],
      up: ['alter table users add column age int'],
      down: ['alter table users drop column aeg'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'down', fault: 'failed' })
    expect(reasonOf(verdict)).toContain('column "aeg" of relation "users" does not exist (SQLSTATE 42703)')
  })

  it('tells a way down that leads somewhere else', async () => {
    const verdict = await tried({
      before: ['create table users (id int primary key, name text default $$x$$)'],
      after: ['create table users (id int primary key)'],
      up: ['alter table users drop column name'],
      down: ['alter table users add column name text'],
    })

    expect(verdict).toEqual({
      ok: false,
      side: 'down',
      fault: 'different',
      reason: `The way down does not lead back:
table public.users: column name is text, and should be text default 'x'::text`,
    })
  })

  it('does not mind that a column comes back at another place', async () => {
    const verdict = await tried({
      before: ['create table users (name text, id int primary key)'],
      after: ['create table users (id int primary key)'],
      up: ['alter table users drop column name'],
      down: ['alter table users add column name text'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('runs statements that want no transaction without one', async () => {
    const change = {
      before: [users],
      after: [users, 'create index by_name on users (name)'],
      up: ['create index concurrently by_name on users (name)'],
      down: ['drop index concurrently by_name'],
    }

    expect(await tried({ ...change, transaction: 'none' })).toEqual({ ok: true, notes: [] })
    expect(await tried(change)).toMatchObject({ ok: false, side: 'up', fault: 'failed' })
  })

  it('tells which tables got no rows, and why', async () => {
    const before = 'create table users (id int constraint never check (false))'
    const verdict = await tried({
      before: [before],
      after: [before, 'alter table users add column age int'],
      up: ['alter table users add column age int'],
      down: ['alter table users drop column age'],
    })

    expect(verdict.ok && verdict.notes.join()).toMatch(/^no rows could be made for .*users.*: .*never/)
  })
})

describe('prove with rows', () => {
  it('tells a column that loses its values because it is dropped and made again', async () => {
    const verdict = await tried({
      before: ['create table users (id int primary key, name text)'],
      after: ['create table users (id int primary key, name varchar(90))'],
      up: ['alter table users drop column name', 'alter table users add column name varchar(90)'],
      down: ['alter table users alter column name type text'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'loss' })
    expect(reasonOf(verdict)[1]).toMatch(/^table public\.users, column name held \d values? and holds 0 values$/)
  })

  it('tells a table that loses its rows', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text, age int not null)'],
      up: ['delete from users', 'alter table users add column age int not null'],
      down: ['alter table users drop column age'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'loss' })
    expect(reasonOf(verdict)[1]).toMatch(/^table public\.users had \d rows and has 0 rows$/)
  })

  it('tells a way down that loses what the way up had kept', async () => {
    const verdict = await tried({
      before: [users],
      after: ['create table users (id int primary key, name text default $$x$$)'],
      up: ['alter table users alter column name set default $$x$$'],
      down: ['alter table users drop column name', 'alter table users add column name text'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'down', fault: 'loss' })
  })

  it('lets a column be converted to another type and back', async () => {
    const verdict = await tried({
      before: ['create table users (id int primary key, age int)'],
      after: ['create table users (id int primary key, age text)'],
      up: ['alter table users alter column age type text'],
      down: ['alter table users alter column age type int using age::int'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('does not look for values of columns that are computed, before or after', async () => {
    const verdict = await tried({
      before: ['create table users (id int primary key, twice int generated always as (id * 2) stored)'],
      after: ['create table users (id int primary key, twice int generated always as (id * 3) stored)'],
      up: [
        'alter table users drop column twice',
        'alter table users add column twice int generated always as (id * 3) stored',
      ],
      down: [
        'alter table users drop column twice',
        'alter table users add column twice int generated always as (id * 2) stored',
      ],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('lets a value of an enum be renamed', async () => {
    const table = 'create table days (mood mood)'
    const verdict = await tried({
      before: [`create type mood as enum ('sad', 'ok')`, table],
      after: [`create type mood as enum ('blue', 'ok')`, table],
      up: [`alter type mood rename value 'sad' to 'blue'`],
      down: [`alter type mood rename value 'blue' to 'sad'`],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })
})

describe('prove with renames', () => {
  const before = [
    'create table orgs (id int primary key)',
    'create table users (id serial primary key, name text not null unique, org int)',
    'alter table users add constraint users_org_orgs_id_fkey foreign key (org) references orgs (id)',
  ]
  const after = [
    'create table orgs (id int primary key)',
    'create table people (id serial primary key, full_name text not null unique, org int)',
    'alter table people add constraint people_org_orgs_id_fkey foreign key (org) references orgs (id)',
  ]
  const renames: readonly Rename[] = [
    { from: ['public', 'users'], to: ['public', 'people'] },
    { from: ['public', 'people', 'name'], to: ['public', 'people', 'full_name'] },
  ]

  it('looks for rows under the new names, and lets PostgreSQL keep the names that it gave itself', async () => {
    const verdict = await tried({
      before,
      after,
      renames,
      up: ['alter table users rename to people', 'alter table people rename name to full_name'],
      down: ['alter table people rename full_name to name', 'alter table people rename to users'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('tells a rename that is a drop and a create', async () => {
    const verdict = await tried({
      before,
      after,
      renames,
      up: ['drop table users', ...after.slice(1)],
      down: ['drop table people', ...before.slice(1)],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'loss' })
  })

  it('tells a rename that is not done', async () => {
    const verdict = await tried({ before, after, renames, up: [], down: [] })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'different' })
    expect(reasonOf(verdict)).toContainEqual(expect.stringMatching(/^table public\.people is missing/))
  })

  it('minds the name of a key that the schema names', async () => {
    const verdict = await tried({
      before: ['create table users (id int, constraint one unique (id))'],
      after: ['create table users (id int, constraint other unique (id))'],
      up: [],
      down: [],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'different' })
  })

  it('goes on from a history in which keys have kept older names', async () => {
    const verdict = await tried({
      base: 'create table users (id int primary key, name text); alter table users rename to people',
      before: ['create table people (id int primary key, name text)'],
      after: ['create table people (id int, name text, primary key (id, name))'],
      up: ['alter table people drop constraint users_pkey, add primary key (id, name)'],
      down: [
        'alter table people drop constraint people_pkey, add constraint users_pkey primary key (id)',
        'alter table people alter column name drop not null',
      ],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'rows' })
  })
})

describe('prove on a history with more than the schema', () => {
  const extra = `create function shout() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger shout before update on users for each row execute function shout();
    create index by_hand on users (lower(name));
    create view named as select id from users where name > ''`

  it('compares what changes, not what is there besides', async () => {
    const verdict = await tried({
      base: `${users}; ${extra}`,
      before: [users],
      after: ['create table users (id int primary key, name text, age int)'],
      up: ['alter table users add column age int'],
      down: ['alter table users drop column age'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('lets what was made by hand follow a rename', async () => {
    const verdict = await tried({
      base: `${users}; ${extra}; drop view named`,
      before: [users],
      after: ['create table people (id int primary key, "Name" text)'],
      renames: [
        { from: ['public', 'users'], to: ['public', 'people'] },
        { from: ['public', 'people', 'name'], to: ['public', 'people', 'Name'] },
      ],
      up: ['alter table users rename to people', 'alter table people rename name to "Name"'],
      down: ['alter table people rename "Name" to name', 'alter table people rename to users'],
    })

    expect(verdict).toEqual({ ok: true, notes: [] })
  })

  it('tells what was made by hand and goes without coming back', async () => {
    const verdict = await tried({
      base: `${users}; ${extra}`,
      before: [users],
      after: ['create table users (id int primary key)'],
      up: ['drop view named', 'alter table users drop column name'],
      down: ['alter table users add column name text'],
    })

    expect(verdict).toMatchObject({ ok: false, side: 'up', fault: 'different' })
    expect(reasonOf(verdict)).toEqual([
      'The way up does not lead to the schema:',
      'table public.users: index by_hand is missing: CREATE INDEX by_hand ON public.users USING btree (lower(name))',
      expect.stringMatching(/^view public\.named is missing/),
    ])
  })
})

describe('makeWish', () => {
  it('makes objects and tables in whatever order they need each other', async () => {
    const objects: readonly ObjectFile[] = [
      { file: 'citext.sql', sql: 'create extension citext' },
      { file: 'code.sql', sql: 'create function code() returns int language sql as $$ select 7 $$' },
      { file: 'high.sql', sql: 'create view high as select id from low' },
      { file: 'low.sql', sql: 'create view low as select id from mails' },
    ]
    const wish = await wishFor(
      { statements: [], objects: [] },
      { statements: ['create table mails (id int default code(), mail citext)'], objects },
    )

    expect(wish.removed).toEqual([])
    expect(wish.added.filter((line) => line.includes(' column '))).toEqual(
      [
        'table public.mails column id: integer default code()',
        'table public.mails column mail: citext',
        'view public.high column id: integer',
        'view public.low column id: integer',
      ].map((line) => line.replace('code()', 'public.code()').replace(': citext', ': public.citext')),
    )
  })

  it('lets default privileges that stay reach new tables, and new ones only what comes later', async () => {
    const grant = { file: 'grant.sql', sql: 'alter default privileges grant select on tables to pg_monitor' }
    const after = { statements: [users], objects: [grant] }
    const staying = await wishFor({ statements: [], objects: [grant] }, after)
    const coming = await wishFor({ statements: [], objects: [] }, after)

    expect(staying.added).toContainEqual(expect.stringMatching(/^table public\.users privileges: .*pg_monitor: select/))
    expect(coming.added).not.toContainEqual(expect.stringMatching(/^table public\.users privileges/))
  })

  it('makes a schema that cannot be made in one transaction', async () => {
    const objects = [
      { file: 'a.sql', sql: "alter type mood add value 'blue';\n-- drover:drop\nselect 1" },
      { file: 'b.sql', sql: "create view blue as select 'blue'::mood as mood" },
    ]

    const wish = await wishFor(
      { statements: [], objects: [] },
      { statements: ["create type mood as enum ('sad')"], objects },
    )

    expect(wish.added).toContain("enum public.mood: 'sad', 'blue'")
  })

  it('makes either schema in a shadow', async () => {
    const wish = await wishFor({ statements: [], objects: [] }, { statements: [users], objects: [] })
    await using before = await wish.make('before')
    await using after = await wish.make('after')

    expect(await before.connection.send(`select to_regclass('users') as users`)).toEqual([{ users: null }])
    expect(await after.connection.send('select count(*) from users')).toEqual([{ count: '0' }])
  })

  it('says which statement of the schema cannot be run', async () => {
    await expect(
      wishFor(
        { statements: [], objects: [] },
        { statements: [users, 'create index by_age on users (age)'], objects: [] },
      ),
    ).rejects.toMatchObject({
      problems: [
        {
          code: 'SCHEMA_INVALID',
          message: 'the schema cannot be made: column "age" does not exist',
          statement: 'create index by_age on users (age)',
          sqlstate: '42703',
        },
      ],
    })
  })

  it('names the object that is wrong, rather than those that miss it', async () => {
    const objects = [
      { file: 'high.sql', sql: 'create view high as select id from low' },
      { file: 'low.sql', sql: 'create view low as select id / $$x$$::int as id from users where id' },
    ]

    await expect(wishFor({ statements: [], objects: [] }, { statements: [users], objects })).rejects.toMatchObject({
      problems: [{ code: 'SCHEMA_INVALID', file: 'low.sql', sqlstate: '22P02' }],
    })
  })
})

async function wishFor(before: SchemaParts, after: SchemaParts): Promise<Wish> {
  await using empty = await createShadow(inject('serverUrl'))
  const nothing = await readCatalog(empty.connection)
  const wish = await makeWish(inject('serverUrl'), empty, before, after)
  expect(await readCatalog(empty.connection)).toEqual(nothing)
  return wish
}

interface Change extends Pick<Candidate, 'up' | 'down'> {
  /** What the history makes. Default: `before`. */
  readonly base?: string
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly renames?: readonly Rename[]
  readonly transaction?: Candidate['transaction']
}

/** Tries a change between two schemas. */
async function tried({
  base,
  before,
  after,
  renames = [],
  up,
  down,
  transaction = 'per-revision',
}: Change): Promise<Verdict> {
  const server = inject('serverUrl')
  await using shadow = await createShadow(server)
  const wish = await makeWish(server, shadow, { statements: before, objects: [] }, { statements: after, objects: [] })
  await runCandidate(shadow, { up: base === undefined ? before : [base], down: [], transaction: 'none' }, 'up')
  return await prove(shadow, wish, { up, down, transaction }, renames)
}

function reasonOf(verdict: Verdict): readonly string[] {
  return verdict.ok ? [] : verdict.reason.split('\n')
}
