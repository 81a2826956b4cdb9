import { describe, expect, inject, it, vi } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { buildIn, exampleHistory, hostileNames } from './example-schemas.ts'
import { fingerprintManySchemas, fingerprintSchemas } from './tenant-fingerprints.ts'

describe('fingerprintSchemas', () => {
  it('gives the same hash to the same history, whatever the names of schema and database', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await using shadow = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of hostileNames) await buildIn(connection, name, exampleHistory)
    await buildIn(shadow.connect(), 'public', exampleHistory)
    await shadow.connect().send(`alter database "${shadow.url.database}" set quote_all_identifiers = on`)

    const hashes = await fingerprintSchemas(connection, hostileNames)

    const [expected] = (await fingerprintSchemas(shadow.connect(), ['public'])).values()
    expect(expected).toMatch(/^[0-9a-f]{64}$/)
    expect(Object.fromEntries(hashes)).toEqual(Object.fromEntries(hostileNames.map((name) => [name, expected])))
  })

  it('calls nothing of the schemas that it looks at', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of ['tenant_a', 'tenant_b']) await buildIn(connection, name, `${exampleHistory};\n${traps}`)

    const hashes = await fingerprintSchemas(connection, ['tenant_a', 'tenant_b'])

    expect(hashes.get('tenant_b')).toBe(hashes.get('tenant_a'))
  })

  it('gives an empty schema a hash, and one that is not there none', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send('create schema empty')

    expect([...(await fingerprintSchemas(connection, ['empty', 'nowhere'])).keys()]).toEqual(['empty'])
    expect(await fingerprintSchemas(connection, [])).toEqual(new Map())
  })

  it('leaves the search_path of the session as it was', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await buildIn(connection, 'tenant_a', exampleHistory)
    await connection.send(`set search_path = tenant_a`)

    await fingerprintSchemas(connection, ['tenant_a', 'public'])

    expect(await connection.send('show search_path')).toEqual([{ search_path: 'tenant_a' }])
  })

  it('finds the one of 200 that is not like the others, whatever has changed in it', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const stranger = database.url.database
    await connection.send(`create role "${stranger}"`)
    try {
      const names = Array.from({ length: 200 }, (_, index) => `tenant_${index}`)
      for (const name of names) await buildIn(connection, name, exampleHistory)
      const before = await fingerprintSchemas(connection, names)
      const [usual] = before.values()
      for (const [index, change] of changes.entries()) {
        await buildIn(connection, names[index * 3]!, change.replaceAll('stranger', `"${stranger}"`))
      }

      const found = await fingerprintSchemas(connection, names)

      expect(new Set(before.values()).size).toBe(1)
      expect(names.filter((name) => found.get(name) !== usual)).toEqual(changes.map((_, index) => names[index * 3]))
    } finally {
      await connection.send(`drop owned by "${stranger}"; drop role "${stranger}"`)
    }
  })

  it('tells a name of its own from the same name in another schema, in references and in texts', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send('create table public.items (id int primary key)')
    const variants = {
      tenant_a: 'create view seen as select id from items',
      // Each of these would be the same with the names of schemas simply taken out.
      tenant_a1: 'create view seen as select id from public.items',
      tenant_b: 'create view seen as select id from tenant_a.items',
      tenant_c: `create view seen as select id, 'tenant_c.items'::text as name from items`,
      tenant_d: `create view seen as select id, 'tenant_c.items'::text as name from items`,
      tenant_e: `create view seen as select id, '<schema>.items'::text as name from items`,
      tenant_f: `create view seen as select id, 'items'::text as name from items`,
      tenant_g: `create view seen as select id, 'items'::regclass as name from items`,
      tenant_h: `create view seen as select id, 'tenant_a.items'::regclass as name from items`,
    }
    for (const [name, view] of Object.entries(variants)) {
      await buildIn(connection, name, `create table items (id int primary key); ${view}`)
    }

    const hashes = await fingerprintSchemas(connection, Object.keys(variants))

    expect(hashes.get('tenant_c')).toBe(hashes.get('tenant_d'))
    expect(new Set(hashes.values()).size).toBe(Object.keys(variants).length - 1)
  })

  it('takes the name of the schema out of the texts of functions where it is a name, and only its own', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of ['tenant_a', 'tenant_a1', 'tenant-a']) await buildIn(connection, name, reading(name))
    await buildIn(connection, 'tenant_b', reading('tenant_a'))

    const hashes = await fingerprintSchemas(connection, ['tenant_a', 'tenant_a1', 'tenant-a', 'tenant_b'])

    expect(hashes.get('tenant_a1')).toBe(hashes.get('tenant_a'))
    expect(hashes.get('tenant-a')).toBe(hashes.get('tenant_a'))
    expect(hashes.get('tenant_b')).not.toBe(hashes.get('tenant_a'))
  })

  it('does not mind whether the schema is the one that extensions are in', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await using shadow = await exampleDatabase(inject('serverUrl'))
    const extensions = 'create extension citext schema public; create extension pg_trgm schema public'
    const uses = `create table items (name public.citext, check (name operator(public.=) 'x'::public.citext));
create index by_name on items using gin (lower(name::text) public.gin_trgm_ops);
create function f(a public.citext) returns real language sql return public.similarity(a::text, 'x')`
    for (const one of [database, shadow]) await one.connect().send(extensions)
    for (const name of ['tenant_a', 'tenant_b']) await buildIn(database.connect(), name, uses)
    await buildIn(shadow.connect(), 'public', uses)
    await buildIn(database.connect(), 'tenant_c', uses.replace('similarity', 'word_similarity'))

    const hashes = await fingerprintSchemas(database.connect(), ['tenant_a', 'tenant_b', 'tenant_c'])

    const expected = (await fingerprintSchemas(shadow.connect(), ['public'])).get('public')
    expect(hashes.get('tenant_a')).toBe(expected)
    expect(hashes.get('tenant_b')).toBe(expected)
    expect(hashes.get('tenant_c')).not.toBe(expected)
  })

  it('leaves out the privileges of the own role of each schema and of roles that are named, and no others', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const [a, b, reader] = ['a', 'b', 'reader'].map((name) => `${database.url.database}_${name}`) as [
      string,
      string,
      string,
    ]
    const roles = [a, b, reader]
    await connection.send(roles.map((role) => `create role "${role}"`).join(';'))
    try {
      const table = 'create table items (id int);'
      await buildIn(connection, 'tenant_a', table + granting(a, reader))
      await buildIn(connection, 'tenant_b', table + granting(b))
      await buildIn(connection, 'tenant_c', table)
      await buildIn(connection, 'tenant_d', table + granting(a))

      const hashes = await fingerprintSchemas(connection, ['tenant_a', 'tenant_b', 'tenant_c', 'tenant_d'], {
        unseenRoles: [reader],
        ownRoles: new Map([
          ['tenant_a', a],
          ['tenant_b', b],
          ['tenant_d', 'no such role'],
        ]),
      })

      expect(hashes.get('tenant_a')).toBe(hashes.get('tenant_c'))
      expect(hashes.get('tenant_b')).toBe(hashes.get('tenant_c'))
      expect(hashes.get('tenant_d')).not.toBe(hashes.get('tenant_c'))
    } finally {
      await connection.send(roles.map((role) => `drop owned by "${role}"; drop role "${role}"`).join(';'))
    }
  })

  it('refuses a schema that it may not use, where it would mistake its names for those of others', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(
      `create schema "a-b"; create role "${database.url.database}"; set session role "${database.url.database}"`,
    )

    await expect(fingerprintSchemas(connection, ['a-b'])).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      message: expect.stringContaining('"a-b"') as string,
    })

    await connection.send(`reset role; drop role "${database.url.database}"`)
  })

  it('forgets a change that is undone, and the places of columns', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await buildIn(connection, 'tenant_a', exampleHistory)
    const before = await fingerprintSchemas(connection, ['tenant_a'])

    await connection.send(`
alter table tenant_a.tenant_a drop column id cascade; alter table tenant_a.tenant_a add id int references tenant_a.contexts on delete cascade;
grant select on tenant_a.contexts to public; revoke select on tenant_a.contexts from public`)
    await buildIn(connection, 'tenant_a', `${dependents}; revoke select on both_of from public`)

    expect(await fingerprintSchemas(connection, ['tenant_a'])).toEqual(before)
  })
})

/** What would be called in place of PostgreSQL's own, fitting as well or better, if the search_path were looked along. */
const traps = `
create function trap(oid, oid) returns boolean language plpgsql as $$ begin raise 'called'; end $$;
create function trap(name, name) returns boolean language plpgsql as $$ begin raise 'called'; end $$;
create function trap(name, text) returns text language plpgsql as $$ begin raise 'called'; end $$;
create function quote_ident(name) returns text language plpgsql as $$ begin raise 'called'; end $$;
create function format_type(oid, int) returns text language plpgsql as $$ begin raise 'called'; end $$;
create operator = (leftarg = oid, rightarg = oid, function = trap);
create operator = (leftarg = name, rightarg = name, function = trap);
create operator || (leftarg = name, rightarg = text, function = trap);
create view pg_class as select 1 as oid`

/** A function whose text names a table with its schema. */
const reading = (schema: string) =>
  `create table items (); create function f() returns bigint language sql as $$ select count(*) from ${quoteIdentifier(schema)}.items $$`

const granting = (...grantees: readonly string[]) =>
  grantees
    .map(
      (role) => `grant select on items to "${role}"; grant insert (id) on items to "${role}";
alter default privileges in schema current_schema grant select on tables to "${role}";`,
    )
    .join('\n')

/** What a column takes along when it is dropped. */
const dependents = exampleHistory
  .split('\n')
  .filter((line) => /^create (?:view both_of|policy own|rule quiet)/.test(line))
  .join('\n')

/** One of each kind. */
const changes: readonly string[] = [
  'create table extra ()',
  'alter table contexts add extra int',
  'alter table contexts alter code drop not null',
  `alter table contexts alter code set default 'tenant_b.contexts'`,
  `alter table contexts alter place set default 'tenant_a'::regclass`,
  'alter table contexts alter other type varchar(10)',
  'alter table contexts add constraint positive check (id > 0)',
  'alter table tenant_a drop constraint tenant_a_id_fkey',
  'alter table tenant_a alter constraint tenant_a_id_fkey deferrable',
  'create index extra on contexts (code)',
  'drop index by_code',
  'alter table contexts disable trigger touch',
  'drop trigger touch on contexts',
  `create or replace view alike as select tenant_a.id as tenant_a from contexts as tenant_a where tenant_a.code <> 'x'`,
  'create or replace function touch() returns trigger language plpgsql as $$ begin return new; end $$',
  'alter function touch() set search_path = pg_catalog',
  'alter function double(int, mood) immutable',
  `alter type mood add value 'fine'`,
  'alter type pair add attribute c int',
  'alter domain email drop default',
  'alter domain email set not null',
  'alter sequence counter increment 6',
  'alter table contexts disable row level security',
  'alter policy own on contexts to current_user',
  'grant select on contexts to stranger',
  'grant select (code) on contexts to stranger',
  'grant execute on function touch() to public',
  'revoke usage on type mood from public',
  'alter default privileges in schema current_schema grant insert on tables to stranger',
  `comment on table contexts is 'tenant_b.contexts'`,
  'comment on column contexts.id is null; comment on index by_code is $$x$$',
  'alter table tenant_a disable rule quiet',
  'drop statistics together',
  'drop table child',
  'alter table events detach partition events_2026',
  'refresh materialized view totals',
  'alter table contexts set (fillfactor = 70)',
  'alter table events_2026 set unlogged',
  'create aggregate extra (int) (sfunc = int4pl, stype = int)',
  'create operator ==== (leftarg = mood, rightarg = mood, function = same)',
]

describe('fingerprintManySchemas', () => {
  it('gives the hashes of fingerprintSchemas to more schemas than one query takes, and leaves no connection behind', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const names = Array.from({ length: 1002 }, (_, index) => `tenant_${index}`)
    await connection.send(names.map((name) => `create schema ${name}`).join(';\n'))
    await connection.send('create table tenant_1001.other (id int)')

    const hashes = await fingerprintManySchemas(database.url, [...names, 'nowhere'])

    const some = await fingerprintSchemas(connection, ['tenant_0', 'tenant_1001'])
    expect([...hashes.keys()].toSorted()).toEqual(names.toSorted())
    expect(new Set(hashes.values())).toEqual(new Set(some.values()))
    expect(hashes.get('tenant_1001')).toBe(some.get('tenant_1001'))
    await vi.waitFor(async () => {
      const others = await connection.send(
        'select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
      expect(others).toHaveLength(0)
    }, 10_000)
  })
})
