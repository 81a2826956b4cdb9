import { expect, inject, test } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { ensureStore } from '../store/tables.ts'
import { countRows } from './count-rows.ts'

test('counts the rows of every table that can be read as a whole, and none of Drover', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await ensureStore(connection)
  await connection.send(`
create table empty ();
create schema "My app";
create table "My app"."Notes" as select generate_series(1, 3);
create table parent (id integer) partition by range (id);
create table small partition of parent for values from (0) to (10);
insert into parent values (1), (2);
create view v as select 1 as one;
create temporary table passing ()`)

  expect([...(await countRows(connection))]).toEqual([
    ['"My app"."Notes"', 3],
    ['public.empty', 0],
    ['public.small', 2],
  ])
})

test('leaves out what row-level security would show only a part of', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await connection.send(`
create table open as select 1 as id;
create table guarded as select 1 as id;
alter table guarded enable row level security;
grant select on guarded, open to pg_monitor;
create policy none on guarded using (false)`)
  await connection.send('set role pg_monitor')

  expect([...(await countRows(connection))]).toEqual([['public.open', 1]])
})
