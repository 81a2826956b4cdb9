import { describe, expect, inject, it } from 'vitest'

import { ConnectionUrl } from '../connect/connection-url.ts'
import { exampleDatabase } from '../connect/example-database.ts'
import { exampleRun } from '../run/example-plan.ts'
import { recordStart } from './runs.ts'
import { ensureStore, queueSchema } from './tables.ts'
import { writeRows } from './write-rows.ts'

describe('writeRows', () => {
  it('writes rows of all kinds in an order in which they go back, without generated columns', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const tables = `
create table a_child (parent bigint references z_parent, at timestamptz, raw bytea, tags text[], body jsonb, price numeric(20, 10));
`
    const parent = `create table z_parent (id bigint primary key generated always as identity, name text, doubled text generated always as (name || name) stored);`
    await connection.send(`create schema one; create schema two;
set local search_path = one; ${parent}${tables}
insert into z_parent (name) values (e'it''s \\\\ "\\n"'), (null);
insert into a_child values
  (1, '2026-11-20 10:00+03', '\\x00ff', array['a"b', null, ''], '{"a": "\\\\"}', 1234567890.0123456789), (null, 'infinity', null, '{}', 'null', 'NaN')`)
    await connection.send(`set local search_path = two; ${parent}${tables}`)

    let script = 'set local search_path = two, pg_catalog;\n'
    for await (const line of writeRows(database.url, 'one')) script += line
    await connection.send(script)

    const read = (schema: string) =>
      connection.send(
        `select z.*, a.* from ${schema}.z_parent as z full join ${schema}.a_child as a on parent = id order by z.id, at`,
      )
    expect(script.indexOf('z_parent')).toBeLessThan(script.indexOf('a_child'))
    expect(await read('two')).toEqual(await read('one'))
  })

  it('writes each value as its type does, whatever the settings of who writes and who reads', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const many = Array.from({ length: 120 }, (_, at) => `c${at} int default ${at}`).join(', ')
    const table = `create type pair as (a int, b text);
create table kinds (
  body jsonb, raw json, pair pair, span interval, day date, moment timestamptz, small real, large double precision,
  price money, padded char(5), bounds int4range, grid int[], flag boolean, bits bit varying, address inet, data bytea, ${many}
);`
    const connection = database.connect()
    await connection.send(`create schema one; create schema two;
set local search_path = one; ${table}
insert into kinds values
  ('null', '{"b":1, "a" :2, "b":3}', row (null, null), '1 mon -2 days 03:04:05.678', '0044-03-15 BC', '2026-11-20 10:00:00.000001+03', 'NaN', 0.1 + 0.2::float8,
    '12.34', 'ab', '[1,)', '[2:3]={7,null}', true, B'0101', '10.0.0.1/8', '\\x00ff'),
  (null, null, null, '-1 year', 'infinity', '-infinity', '-Infinity', '1e308', null, '', 'empty', '{}', null, '', '::1', '')`)
    await connection.send(`set local search_path = two; ${table}`)
    await connection.send(`alter database "${database.url.database}" set datestyle = 'SQL, DMY';
alter database "${database.url.database}" set intervalstyle = 'sql_standard'; alter database "${database.url.database}" set extra_float_digits = -5`)

    let script = 'set local search_path = two, pg_catalog;\n'
    for await (const line of writeRows(database.url, 'one')) script += line
    await database.connect().send(script)

    const read = (schema: string) => connection.send(`select kinds::text as row from ${schema}.kinds order by 1`)
    expect(await read('one')).toHaveLength(2)
    expect(await read('two')).toEqual(await read('one'))
  })

  it('writes rows that refer to each other, those of partitions and children once, and where sequences are', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const tables = `create table node (id int primary key generated always as identity, next int not null references node);
create table event (id int, at int) partition by range (at);
create table event_1 partition of event for values from (0) to (10);
create table base (id serial primary key, name text);
create table derived (extra int) inherits (base);
create sequence fresh start 7;
create sequence "it's";`
    await connection.send(`create schema one; create schema two;
set local search_path = one; ${tables}
insert into node (next) select case n when 1200 then 1 else n + 1 end from generate_series(1, 1200) as n;
insert into event values (1, 1), (2, 2);
insert into base (name) values ('a');
insert into derived (name, extra) values ('b', 1);
select setval('"it''s"', 41)`)
    await connection.send(`set local search_path = two; ${tables}`)

    let script = 'set local search_path = two, pg_catalog;\n'
    for await (const line of writeRows(database.url, 'one')) script += line
    await connection.send(script)

    for (const query of ['table X.node', 'table X.event', 'table only X.base', 'table X.derived', 'table X.base']) {
      const read = (schema: string) => connection.send(`${query.replace('X', schema)} order by 1`)
      expect(await read('two')).toEqual(await read('one'))
    }
    await connection.send(`insert into two.base (name) values ('c')`)
    expect(await connection.send(`select id from two.base where name = 'c'`)).toEqual([{ id: 3 }])
    expect(
      await connection.send(`select nextval('two.fresh')::int as fresh, nextval('two."it''s"')::int as it`),
    ).toEqual([{ fresh: 7, it: 42 }])
    await connection.send(`insert into two.node (next) values (1)`)
    expect(await connection.send('select max(id) as id from two.node')).toEqual([{ id: 1201 }])
  })

  it('refuses where a policy would hide rows from us', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const role = `role_${database.url.database}`
    await connection.send(`create role "${role}" login password 'pw'; create schema one; create table one.secret (id int);
alter table one.secret enable row level security; grant usage on schema one to "${role}"; grant select on one.secret to "${role}"`)
    const { host, port, database: name } = database.url
    const url = ConnectionUrl.parse(`postgres://${role}:pw@${host}:${port}/${name}`, 'the test')

    try {
      await expect(writeRows(url, 'one').next()).rejects.toThrow('row-level security')
    } finally {
      await connection.send(`drop owned by "${role}"; drop role "${role}"`)
    }
  })

  it('writes those of all schemas, with their names, and nothing that is Drover’s', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await ensureStore(connection)
    await recordStart(connection, exampleRun(), [])
    await connection.send(`create schema ${queueSchema}; create table ${queueSchema}.job as select 1 as id;
create sequence ${queueSchema}.numbers; create schema "a ""b"; create table "a ""b".child (id integer primary key);
create table parent (id integer primary key); alter table "a ""b".child add foreign key (id) references parent;
insert into parent values (1); insert into "a ""b".child values (1)`)

    let script = 'begin; truncate parent, "a ""b".child;\n'
    for await (const line of writeRows(database.url)) script += line
    await connection.send(`${script}commit`)

    expect(script.indexOf('"public"."parent"')).toBeLessThan(script.indexOf('"a ""b"."child"'))
    expect(script).not.toContain('drover')
    expect(await connection.send('select id from "a ""b".child')).toEqual([{ id: 1 }])
  })
})
