import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { query } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames } from './harness/repository-databases.ts'
import { createWorkspace, type Ended, type TestWorkspace } from './harness/workspace.ts'

const schema = `
create extension citext;
create schema app;
create type app.mood as enum ('sad', 'ok');
create sequence app.counter;
create table app.users (
  id integer primary key,
  name text not null,
  mood app.mood default 'ok'
);
create index by_name on app.users (name);
create table app.posts (
  id integer generated always as identity primary key,
  author integer constraint written_by references app.users,
  constraint positive check (id > 0)
);
create view app.names as select name from app.users;
create function app.touch() returns trigger language plpgsql as $$
begin
  new.name := trim(new.name);
  return new;
end
$$;
create trigger touch before update on app.users for each row execute function app.touch();
alter table app.users enable row level security;
create policy own on app.users using (id > 1);
comment on table app.users is 'who logs in';
grant select on app.users to public;
`

/** Two databases that are made by the same revision; only the first one drifts. */
let workspace: TestWorkspace
let url: string

beforeAll(async () => {
  workspace = await createWorkspace()
  url = await workspace.addDatabase('shop')
  await workspace.addDatabase('other')
  await workspace.addRevision('shop', { id: 'a1a1a1a1a1a1', up: schema })
  await workspace.addRevision('other', { id: 'b1b1b1b1b1b1', up: schema })
  const { exitCode, stderr } = await workspace.migrate('upgrade')
  if (exitCode !== 0) throw new Error(stderr)
})

afterAll(() => workspace[Symbol.asyncDispose]())

test('databases that are as their histories build them say so, with how much was compared', async () => {
  const ended = await workspace.migrate('drift')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toMatch(
    /^other: as its history builds it \(\d\d objects compared\)\nshop: as its history builds it \(\d\d objects compared\)\n$/,
  )
})

describe('finds and names', () => {
  test.each<[what: string, change: string, undo: string, ...lines: string[]]>([
    [
      'a table that was added',
      'create table app.extra (id integer)',
      'drop table app.extra',
      'table app.extra should not be there',
    ],
    [
      'a column that was added',
      `alter table app.users add column code text default 'x'`,
      'alter table app.users drop column code',
      `table app.users: column code should not be there: text default 'x'::text`,
    ],
    [
      'a column that was changed',
      'alter table app.posts alter column author type bigint',
      'alter table app.posts alter column author type integer',
      'table app.posts: column author is bigint, and should be integer',
    ],
    [
      'a default that is gone',
      'alter table app.users alter column mood drop default',
      `alter table app.users alter column mood set default 'ok'`,
      `table app.users: column mood is app.mood, and should be app.mood default 'ok'::app.mood`,
    ],
    [
      'a constraint that is gone',
      'alter table app.posts drop constraint positive',
      'alter table app.posts add constraint positive check (id > 0)',
      'table app.posts: constraint positive is missing: CHECK ((id > 0))',
    ],
    [
      'a foreign key that became deferrable',
      'alter table app.posts alter constraint written_by deferrable',
      'alter table app.posts alter constraint written_by not deferrable',
      'table app.posts: constraint written_by is FOREIGN KEY (author) REFERENCES app.users(id) DEFERRABLE, and should be FOREIGN KEY (author) REFERENCES app.users(id)',
    ],
    [
      'an index that is gone',
      'drop index app.by_name',
      'create index by_name on app.users (name)',
      'table app.users: index by_name is missing: CREATE INDEX by_name ON app.users USING btree (name)',
    ],
    [
      'an index that is invalid',
      `update pg_index set indisvalid = false where indexrelid = 'app.by_name'::regclass`,
      `update pg_index set indisvalid = true where indexrelid = 'app.by_name'::regclass`,
      'table app.users: index by_name is CREATE INDEX by_name ON app.users USING btree (name), invalid, and should be CREATE INDEX by_name ON app.users USING btree (name)',
    ],
    [
      'a view that was changed',
      'create or replace view app.names as select name from app.users limit 5',
      'create or replace view app.names as select name from app.users',
      'view app.names: definition is different (+ is there, - should be)',
      '  -    FROM app.users;',
      '  +    FROM app.users',
      '  +  LIMIT 5;',
    ],
    [
      'a function body that was changed, by the lines that differ',
      'create or replace function app.touch() returns trigger language plpgsql as $$\nbegin\n  return new;\nend\n$$',
      'create or replace function app.touch() returns trigger language plpgsql as $$\nbegin\n  new.name := trim(new.name);\n  return new;\nend\n$$',
      'function app.touch() is different (+ is there, - should be)',
      '  -   new.name := trim(new.name);',
    ],
    [
      'a trigger that was disabled',
      'alter table app.users disable trigger touch',
      'alter table app.users enable trigger touch',
      'table app.users: trigger touch is different',
      '  is:        CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch(), disabled',
      '  should be: CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()',
    ],
    [
      'a policy that was changed',
      'alter policy own on app.users using (true)',
      'alter policy own on app.users using (id > 1)',
      'table app.users: policy own is permissive for all to public using (true), and should be permissive for all to public using ((id > 1))',
    ],
    [
      'row level security that was forced',
      'alter table app.users force row level security',
      'alter table app.users no force row level security',
      'table app.users is persistent, row level security, forced row level security, and should be persistent, row level security',
    ],
    [
      'a comment',
      `comment on table app.users is 'what'`,
      `comment on table app.users is 'who logs in'`,
      'table app.users: comment is what, and should be who logs in',
    ],
    [
      'a privilege',
      'grant usage on schema app to public',
      'revoke usage on schema app from public',
      'schema app: privileges are owner: create, usage; public: usage, and should be those of a new object',
    ],
    ['an extension', 'create extension hstore', 'drop extension hstore', 'extension hstore should not be there'],
    ['an extension that is gone', 'drop extension citext', 'create extension citext', 'extension citext is missing'],
    [
      'a sequence with other parameters',
      'alter sequence app.counter increment 5',
      'alter sequence app.counter increment 1',
      'sequence app.counter: parameters are different',
    ],
    ['a schema', 'create schema extra', 'drop schema extra', 'schema extra should not be there'],
  ])('%s', async (_, change, undo, ...lines) => {
    await query(url, change)
    const ended = await workspace.migrate('drift')
    await query(url, undo)

    expectFailure(ended, 4, 'error: shop: 1 difference from what its history builds')
    expect(ended.stdout).toMatch(/^other: as its history builds it/)
    const found = ended.stdout.slice(ended.stdout.indexOf('shop: 1 difference\n')).split('\n').slice(1)
    expect(found.slice(0, lines.length)).toEqual(lines.map((line) => `  ${line}`))
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('://')
  })

  test('a value of an enum, which nothing takes back', async () => {
    await using own = await createWorkspace()
    const place = await own.addDatabase('shop')
    await own.addRevision('shop', { id: 'a1a1a1a1a1a1', up: schema })
    await own.migrate('upgrade')
    await query(place, `alter type app.mood add value 'fine'`)

    const ended = await own.migrate('drift')

    expectFailure(ended, 4)
    expect(ended.stdout).toBe(`shop: 1 difference\n  enum app.mood is 'sad', 'ok', 'fine', and should be 'sad', 'ok'\n`)
  })

  test('everything at once in JSON, database by database', async () => {
    await query(
      url,
      'alter table app.users add column code text; drop index app.by_name; create table app.extra (id integer)',
    )
    const ended = await workspace.migrate('drift', '--json')
    await query(
      url,
      'alter table app.users drop column code; create index by_name on app.users (name); drop table app.extra',
    )

    const objects = expect.any(Number)
    expect(ended.exitCode).toBe(4)
    expect(ended.json()).toMatchObject({
      command: 'drift',
      ok: false,
      exitCode: 4,
      error: { code: 'DRIFT', database: 'shop', message: '3 differences from what its history builds' },
    })
    expect(ended.json().databases).toEqual([
      { name: 'other', problems: [], objects, differences: [] },
      {
        name: 'shop',
        problems: [],
        objects,
        differences: [
          { object: 'table app.extra', kind: 'unexpected', found: 'persistent\ncolumn id: integer' },
          { object: 'table app.users', part: 'column code', kind: 'unexpected', found: 'text' },
          {
            object: 'table app.users',
            part: 'index by_name',
            kind: 'missing',
            expected: 'CREATE INDEX by_name ON app.users USING btree (name)',
          },
        ],
      },
    ])
  })

  test('more lines of a definition with --verbose', async () => {
    await using own = await createWorkspace()
    const place = await own.addDatabase('shop')
    await own.addRevision('shop', { id: 'a1a1a1a1a1a1', up: `create schema app; ${longFunction('old')}` })
    await own.migrate('upgrade')
    await query(place, longFunction('new'))

    expect((await own.migrate('drift')).stdout).toMatch(/ {2}and 30 more\n$/)
    expect((await own.migrate('drift', '--verbose')).stdout).toMatch(/ {2}\+ select 'new 19';\n$/)
  })
})

test('a column that was dropped and added again is no drift, and neither is what was granted and taken back', async () => {
  await query(
    url,
    `alter table app.users drop column mood; alter table app.users add column mood app.mood default 'ok';
grant select on app.posts to public; revoke select on app.posts from public`,
  )

  expect(await workspace.migrate('drift', '-d', 'shop')).toMatchObject({ exitCode: 0, stderr: '' })
})

test('what Drover keeps does not count, and neither do rows, sequences that move on, and views that are refreshed', async () => {
  await using pair = await createPair()
  await pair.addRevision('alpha', {
    id: 'a3a3a3a3a3a3',
    up: 'create table t (id serial); create materialized view m as select * from t with no data;\n',
  })
  await pair.migrate('upgrade')
  await query(
    pair.urls.alpha,
    'create table drover.extra (id int); insert into t default values; refresh materialized view m',
  )

  expect(await pair.migrate('drift')).toMatchObject({ exitCode: 0, stderr: '' })
})

test('nothing is written to a database', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await query(pair.urls.alpha, 'drop table a1')
  await pair.remember()

  expectFailure(await pair.migrate('drift'), 4, 'alpha: 1 difference')

  await pair.expectUnchanged()
})

test('shadows are made by a user who may create databases and nothing else, and none stays behind', async () => {
  const role = `shadow_maker_${crypto.randomUUID().slice(0, 8)}`
  await query(url, `create role ${role} login createdb password 'hunter2'`)
  const shadow = new URL(workspace.env['DROVER_SHADOW_URL']!)
  shadow.username = role
  shadow.password = 'hunter2'
  try {
    await workspace.write('shadow-url', shadow.href)
    const env = { DROVER_SHADOW_URL: '', DROVER_SHADOW_URL_FILE: join(workspace.root, 'shadow-url') }
    const ended = await workspace.start(['drift'], { env }).ended

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await query(url, `select datname from pg_database where datdba = '${role}'::regrole`)).toEqual([])
  } finally {
    await query(url, `drop role ${role}`)
  }
})

test('a database is compared with what it has had, be it nothing at all', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade', '+1', '-d', 'alpha')

  expect(await pair.migrate('drift')).toMatchObject({ exitCode: 0, stderr: '' })

  await query(pair.urls.alpha, 'create table a2 (id integer)')
  await query(pair.urls.beta, 'create table b1 (id integer)')
  const ended = await pair.migrate('drift')
  expectFailure(ended, 4)
  expect(ended.stdout).toBe(`alpha: 1 difference
  table public.a2 should not be there
beta: 1 difference
  table public.b1 should not be there
`)
})

test('what is declared as foreign does not count, nor what belongs to it', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await query(
    pair.urls.alpha,
    `create schema topology; create table topology.layer (id serial);
create table spatial_ref_sys (id serial); create table events_1 (id int); create table events_2 (id int); create table b (id int);
create extension hstore; grant select on a1 to public`,
  )
  const foreign = ['schema topology', 'table public.spatial_ref_sys', 'table public.events_*', 'extension hstore']
  await pair.write(
    'databases/alpha/database.ts',
    `export default { name: 'alpha', foreign: ${JSON.stringify(foreign)} }\n`,
  )

  const ended = await pair.migrate('drift', '-d', 'alpha')

  expectFailure(ended, 4)
  expect(ended.stdout).toMatch(
    /^alpha: 2 differences\n {2}table public\.a1: privileges are .*\n {2}table public\.b should not be there\n$/,
  )
})

describe('says why it cannot compare', () => {
  test.each<[what: string, told: string, spoil: (pair: Pair) => Promise<unknown>]>([
    [
      'a revision that is gone',
      `alpha: revision ${ids.a2} is applied`,
      (pair) => rm(join(pair.root, pair.folders.alpha[1]!), { recursive: true }),
    ],
    [
      'a revision that was edited',
      'alpha: ',
      (pair) => pair.write(`${pair.folders.alpha[1]}/migration.sql`, 'create table edited (id integer);\n'),
    ],
    [
      'a server that does not answer',
      'alpha: no server answers at 127.0.0.1:9',
      async (pair) => {
        pair.env['ALPHA_DATABASE_URL'] = 'postgres://nobody:hunter2@127.0.0.1:9/nothing'
      },
    ],
  ])('%s, and compares the other database', async (_, told, spoil) => {
    const ended = await driftOfSpoilt(spoil)

    expectFailure(ended, 4, told, 'beta: 1 difference from what its history builds')
    expect(ended.stdout).toBe('alpha: cannot be compared\nbeta: 1 difference\n  table public.b1 is missing\n')
    expect(ended.stderr).not.toContain('hunter2')
  })

  test.each<[what: string, url: string, told: string]>([
    ['that is no URL', 'hunter2', 'DROVER_SHADOW_URL does not start with postgres://'],
    ['of a server that does not answer', 'postgres://me:hunter2@127.0.0.1:9/x', 'no server answers at 127.0.0.1:9'],
  ])('a DROVER_SHADOW_URL %s', async (_, shadow, told) => {
    const running = workspace.start(['drift'], { env: { DROVER_SHADOW_URL: shadow } })
    const ended = await running.ended

    expectFailure(ended, 2, told, 'DROVER_SHADOW_URL')
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('hunter2')
  })
})

test("this repository's own databases have no drift after an upgrade", async () => {
  await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
  await databases.migrate('upgrade')

  const ended = await databases.migrate('drift')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout.match(/: as its history builds it \(\d+ objects compared\)$/gm)).toHaveLength(
    databaseNames.length,
  )
})

function longFunction(name: string): string {
  const lines = Array.from({ length: 20 }, (_, at) => `select '${name} ${at}';\n`).join('')
  return `create or replace function app.long() returns void language sql as $$\n${lines}$$`
}

/** Of a pair that is upgraded and then spoilt; beta has lost a table. */
async function driftOfSpoilt(spoil: (pair: Pair) => Promise<unknown>): Promise<Ended> {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await spoil(pair)
  await query(pair.urls.beta, 'drop table b1')
  return await pair.migrate('drift')
}
