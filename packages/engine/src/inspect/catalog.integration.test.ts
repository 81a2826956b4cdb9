import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { exampleDatabase } from '../connect/example-database.ts'
import { ensureStore } from '../store/tables.ts'
import { readCatalog } from './catalog.ts'
import { splitObject } from './catalog-line.ts'
import { compareCatalogs } from './compare-catalogs.ts'

const schema = `
create schema app;
create type app.mood as enum ('sad', 'ok');
create domain app.email as text collate "C" check (value like '%@%');
create type app.pair as (a int, b app.mood);
create type app.span as range (subtype = timestamptz);
create sequence app.counter as int increment 5 maxvalue 99 cycle;
create table app.users (
  gone int,
  id bigint generated always as identity primary key,
  "Näme" varchar(40) not null default 'x',
  mood app.mood default 'ok',
  code text collate "C",
  amount numeric(10, 2) check (amount > 0),
  double bigint generated always as (id * 2) stored,
  mail app.email,
  seen timestamptz default '2026-01-01 00:00:00+02'
) with (fillfactor = 80);
alter table app.users drop column gone;
create table app.posts (id int, author bigint references app.users on delete cascade deferrable initially deferred);
create table app.events (id int, day date not null) partition by range (day);
create table app.events_2026 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
create index by_day on app.events (day desc nulls last);
create unique index by_code on app.users (lower(code)) include (amount) where amount > 1;
alter table app.users enable row level security;
create policy own on app.users as restrictive for update using (id > 1) with check (id > 2);
create view app.adults with (security_barrier) as select users.id, users.code from app.users, (select 18 as years) as bound where users.amount > bound.years;
create materialized view app.totals as select count(*) as total from app.users with no data;
create function app.touch() returns trigger language plpgsql as $$
begin
  return new;
end
$$;
create function app.twice(a int, b app.mood default 'ok') returns int begin atomic select a * 2; end;
create procedure app.clean() language sql as 'delete from app.posts';
create aggregate app.total (int) (sfunc = int4pl, stype = int, initcond = '0');
create trigger touch before update on app.users for each row execute function app.touch();
create rule quiet as on delete to app.posts do instead nothing;
create statistics app.together on id, code from app.users;
create operator app.=== (leftarg = int, rightarg = int, function = int4eq);
comment on table app.users is 'who logs in';
comment on column app.users.code is E'first\\nsecond';
comment on function app.twice is 'doubles';
revoke execute on function app.touch() from public;
alter default privileges in schema app grant select on tables to public`

/** In a schema whose name looks like the beginning of a line. */
const rareKinds = `
create schema "a: b";
set local search_path = "a: b";
create type c as (x int);
create cast (c as text) with inout;
create collation c (locale = 'C');
create conversion c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
alter default privileges in schema "a: b" grant execute on functions to public;
create function e() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger "a: b" on sql_drop execute function e();
create foreign data wrapper "a: b";
create server "a: b" foreign data wrapper "a: b";
create foreign table "0001: f (x" (id int) server "a: b";
create function f("b) c" int, variadic d numeric[], out e c) language sql as $$ select null::c $$;
create operator === (leftarg = double precision, rightarg = double precision, function = float8eq);
create operator class c for type int using btree as operator 1 <;
create publication "a: b";
create table "comment: """ ("column x: " int, "privileges" int);
create statistics c on "column x: ", "privileges" from "comment: """;
create text search configuration c (copy = simple);
create text search dictionary c (template = simple);
comment on table "comment: """ is 'privileges: none'`

describe('readCatalog', () => {
  it('tells what there is, object by object', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(schema)

    const lines = (await readCatalog(connection)).filter(
      (line) => !/^(?:extension|schema public)/.test(line) && !line.includes('_not_null'),
    )

    expect(lines).toEqual([
      `aggregate app.total(integer): sfunc int4pl, stype integer, initcond '0', parallel u`,
      'composite type app.pair column a: #1 integer',
      'composite type app.pair column b: #2 app.mood',
      'composite type app.pair: a list of columns',
      'default privileges for role owner in schema app on tables: public: select',
      `domain app.email constraint email_check: CHECK ((VALUE ~~ '%@%'::text))`,
      'domain app.email: text collate "C"',
      `enum app.mood: 'sad', 'ok'`,
      'function app.touch() 0001: CREATE OR REPLACE FUNCTION app.touch()',
      'function app.touch() 0002:  RETURNS trigger',
      'function app.touch() 0003:  LANGUAGE plpgsql',
      'function app.touch() 0004: AS $function$',
      'function app.touch() 0005: begin',
      'function app.touch() 0006:   return new;',
      'function app.touch() 0007: end',
      'function app.touch() 0008: $function$',
      'function app.touch() privileges: owner: execute',
      `function app.twice(a integer, b app.mood) 0001: CREATE OR REPLACE FUNCTION app.twice(a integer, b app.mood DEFAULT 'ok'::app.mood)`,
      'function app.twice(a integer, b app.mood) 0002:  RETURNS integer',
      'function app.twice(a integer, b app.mood) 0003:  LANGUAGE sql',
      'function app.twice(a integer, b app.mood) 0004: BEGIN ATOMIC',
      'function app.twice(a integer, b app.mood) 0005:  SELECT (a * 2);',
      'function app.twice(a integer, b app.mood) 0006: END',
      'function app.twice(a integer, b app.mood) comment: doubles',
      'materialized view app.totals column total: #1 bigint',
      'materialized view app.totals definition 0001:  SELECT count(*) AS total',
      'materialized view app.totals definition 0002:    FROM app.users;',
      'materialized view app.totals: persistent, not populated',
      'operator app.===(integer,integer): is there',
      'procedure app.clean() 0001: CREATE OR REPLACE PROCEDURE app.clean()',
      'procedure app.clean() 0002:  LANGUAGE sql',
      'procedure app.clean() 0003: AS $procedure$delete from app.posts$procedure$',
      'range app.span: subtype timestamp with time zone, multirange app.span_multirange',
      'schema app: a schema',
      'sequence app.counter parameters: integer, start 1, increment 5, minvalue 1, maxvalue 99, cache 1, cycle',
      'sequence app.counter: persistent',
      'sequence app.users_id_seq parameters: bigint, start 1, increment 1, minvalue 1, maxvalue 9223372036854775807, cache 1, owned by app.users.id',
      'sequence app.users_id_seq: persistent',
      'statistics app.together: CREATE STATISTICS app.together ON id, code FROM app.users',
      'table app.events column day: #2 date not null',
      'table app.events column id: #1 integer',
      'table app.events index by_day: CREATE INDEX by_day ON ONLY app.events USING btree (day DESC NULLS LAST)',
      'table app.events: persistent, partitioned by RANGE (day)',
      'table app.events_2026 column day: #2 date not null',
      'table app.events_2026 column id: #1 integer',
      'table app.events_2026 index events_2026_day_idx: CREATE INDEX events_2026_day_idx ON app.events_2026 USING btree (day DESC NULLS LAST)',
      `table app.events_2026: persistent, partition of app.events, FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`,
      'table app.posts column author: #2 bigint',
      'table app.posts column id: #1 integer',
      'table app.posts constraint posts_author_fkey: FOREIGN KEY (author) REFERENCES app.users(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
      'table app.posts rule quiet 0001: CREATE RULE quiet AS',
      'table app.posts rule quiet 0002:     ON DELETE TO app.posts DO INSTEAD NOTHING;',
      'table app.posts: persistent',
      `table app.users column "Näme": #2 character varying(40) not null default 'x'::character varying`,
      'table app.users column amount: #5 numeric(10,2)',
      'table app.users column code comment 0001: first',
      'table app.users column code comment 0002: second',
      'table app.users column code: #4 text collate "C"',
      'table app.users column double: #6 bigint generated stored (id * 2)',
      'table app.users column id: #1 bigint not null generated always as identity',
      'table app.users column mail: #7 app.email',
      `table app.users column mood: #3 app.mood default 'ok'::app.mood`,
      `table app.users column seen: #8 timestamp with time zone default '2025-12-31 22:00:00+00'::timestamp with time zone`,
      'table app.users comment: who logs in',
      'table app.users constraint users_amount_check: CHECK ((amount > (0)::numeric))',
      'table app.users constraint users_pkey: PRIMARY KEY (id)',
      'table app.users index by_code: CREATE UNIQUE INDEX by_code ON app.users USING btree (lower(code)) INCLUDE (amount) WHERE (amount > (1)::numeric)',
      'table app.users index users_pkey: CREATE UNIQUE INDEX users_pkey ON app.users USING btree (id)',
      'table app.users policy own: restrictive for update to public using ((id > 1)) with check ((id > 2))',
      'table app.users trigger touch: CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()',
      'table app.users: persistent, with (fillfactor=80), row level security',
      'view app.adults column code: #2 text collate "C"',
      'view app.adults column id: #1 bigint',
      'view app.adults definition 0001:  SELECT users.id,',
      'view app.adults definition 0002:     users.code',
      'view app.adults definition 0003:    FROM app.users,',
      'view app.adults definition 0004:     ( SELECT 18 AS years) bound',
      'view app.adults definition 0005:   WHERE (users.amount > (bound.years)::numeric);',
      'view app.adults: persistent, with (security_barrier=true)',
    ])
  })

  it('reads the same from two databases that were made alike, whatever their settings, and leaves the session as it was', async () => {
    await using one = await exampleDatabase(inject('serverUrl'))
    await using other = await exampleDatabase(inject('serverUrl'))
    await one.connect().send(schema)
    await other.connect().send(schema)
    await ensureStore(other.connect())
    const name = `"${other.url.database}"`
    await other.connect().send(`
alter database ${name} set search_path = app;
alter database ${name} set timezone = 'Asia/Kathmandu';
alter database ${name} set datestyle = 'SQL, DMY';
alter database ${name} set quote_all_identifiers = on`)
    const connection = other.connect()

    expect(await readCatalog(connection)).toEqual(await readCatalog(one.connect()))
    expect(await connection.send('show search_path')).toEqual([{ search_path: 'app' }])
  })

  it('reads default privileges the same from databases of different owners', async () => {
    await using one = await exampleDatabase(inject('serverUrl'))
    await using other = await exampleDatabase(inject('serverUrl'))
    const defaults = 'alter default privileges grant select on tables to public'
    await one.connect().send(defaults)

    const ofOther = await asNobody(other.url.database, other.connect(), async (connection) => {
      await connection.send(defaults)
      const lines = await readCatalog(connection)
      await connection.send('alter default privileges revoke select on tables from public')
      return lines
    })

    expect(ofOther).toEqual(await readCatalog(one.connect()))
    expect(ofOther).toContainEqual(
      expect.stringMatching(/^default privileges for role owner on tables: .*public: select$/),
    )
  })

  it('leaves out what belongs to an extension, but not the extension', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const before = await readCatalog(connection)

    await connection.send('create extension citext; create extension hstore')

    const added = (await readCatalog(connection)).filter((line) => !before.includes(line))
    expect(added.map((line) => line.replace(/version \S+/, 'version …'))).toEqual([
      'extension citext comment: data type for case-insensitive character strings',
      'extension citext: version … in schema public',
      'extension hstore comment: data type for storing sets of (key, value) pairs',
      'extension hstore: version … in schema public',
    ])
  })

  it('comes back to the same lines when a change is undone, and forgets granted and revoked privileges', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(schema)
    const before = await readCatalog(connection)

    await connection.send(`
alter table app.users add column extra int; grant select on app.users to public; grant select (code) on app.users to public;
alter table app.users drop column extra; revoke select on app.users from public; revoke select (code) on app.users from public`)

    expect(await readCatalog(connection)).toEqual(before)
  })

  it('writes lines that can be taken apart again, whatever the kind and the name', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const before = await readCatalog(connection)
    await connection.send(rareKinds)

    const objects = compareCatalogs(before, await readCatalog(connection)).map(({ object }) => object)

    expect(objects.map((object) => `${splitObject(object).kind} > ${splitObject(object).name}`)).toEqual([
      'cast > ("a: b".c AS pg_catalog.text)',
      'collation > "a: b".c',
      'composite type > "a: b".c',
      'conversion > "a: b".c',
      'default privileges > for role owner in schema "a: b" on functions',
      'event trigger > "a: b"',
      'foreign table > "a: b"."0001: f (x"',
      'foreign-data wrapper > "a: b"',
      'function > "a: b".e()',
      'function > "a: b".f("b) c" integer, VARIADIC d numeric[], OUT e "a: b".c)',
      'operator > "a: b".===(double precision,double precision)',
      'operator class > "a: b".c USING btree',
      'operator family > "a: b".c USING btree',
      'publication > "a: b"',
      'schema > "a: b"',
      'server > "a: b"',
      'statistics > "a: b".c',
      'table > "a: b"."comment: """',
      'text search configuration > "a: b".c',
      'text search dictionary > "a: b".c',
    ])
  })

  it.each<[what: string, change: string]>([
    ['a forced row level security', 'alter table app.users force row level security'],
    ['a disabled trigger', 'alter table app.users disable trigger touch'],
    ['a foreign key that is not enforced', 'alter table app.posts disable trigger all'],
    ['a disabled rule', 'alter table app.posts disable rule quiet'],
    ['a constraint that is not validated', 'alter table app.posts add constraint late check (id > 0) not valid'],
    [
      'a constraint that is no longer deferred',
      'alter table app.posts alter constraint posts_author_fkey not deferrable',
    ],
    ['an invalid index', `update pg_index set indisvalid = false where indexrelid = 'app.by_code'::regclass`],
    ['an unlogged table', 'alter table app.events_2026 set unlogged'],
    ['a replica identity', 'alter table app.posts replica identity full'],
    ['an enum value', `alter type app.mood add value 'fine' before 'ok'`],
    ['a default of a view', `alter view app.adults alter column code set default 'x'`],
    ['an identity', 'alter table app.users alter column id set generated by default'],
    ['a parameter of an identity', 'alter table app.users alter column id set increment 7'],
    [
      'a permissive policy',
      'drop policy own on app.users; create policy own on app.users for update using (id > 1) with check (id > 2)',
    ],
    ['a comment on a policy', `comment on policy own on app.users is 'x'`],
    ['a comment on a constraint', `comment on constraint email_check on domain app.email is 'x'`],
    ['a comment on an index', `comment on index app.by_code is 'x'`],
    ['a comment on a trigger', `comment on trigger touch on app.users is 'x'`],
    ['a privilege', 'grant select on app.users to public'],
    ['a privilege on a column', 'grant select (code) on app.users to public'],
    ['a revoked privilege', 'revoke insert on app.users from current_user'],
    ['a privilege on a schema', 'grant usage on schema app to public'],
    ['a privilege on a type', 'revoke usage on type app.mood from public'],
    ['a default privilege', 'alter default privileges revoke execute on functions from public'],
    ['an option of a view', 'alter view app.adults set (security_invoker)'],
    [
      'an event trigger',
      'create function app.note() returns event_trigger language plpgsql as $$ begin end $$; create event trigger note on sql_drop execute function app.note()',
    ],
  ])('shows %s', async (_, change) => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(schema)
    const before = await readCatalog(connection)

    await connection.send(change)

    expect(await readCatalog(connection)).not.toEqual(before)
  })

  it('needs no privileges', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(schema)

    const own = await readCatalog(connection)

    expect(await asNobody(database.url.database, connection, () => readCatalog(connection))).toEqual(own)
  })
})

async function asNobody<T>(
  name: string,
  connection: Connection,
  act: (connection: Connection) => Promise<T>,
): Promise<T> {
  await connection.send(`create role "${name}"; set session role "${name}"`)
  try {
    return await act(connection)
  } finally {
    await connection.send(`reset role; drop role "${name}"`)
  }
}
