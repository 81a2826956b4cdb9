import { splitStatements } from '@drover/engine'
import { expect, it } from 'vitest'

import { findOnNewTables } from './new-tables.ts'

const find = (sql: string) => [...findOnNewTables(splitStatements(sql))]

it('finds what is about a table that the same script makes, whether it is quoted or not', () => {
  expect(
    find(`create table Users (id int); create unlogged table app."Order" ();
alter table only "users" add primary key (id); alter table if exists APP."Order" add column b int;
create unique index concurrently i on users (id); create index i on users (id); create index on only app . "Order" (b)`),
  ).toEqual([2, 3, 5, 6])
})

it.each([
  ['alter table a add b int; create table a ();', 'made later'],
  ['create table if not exists a (); alter table a add b int;', 'that may have been there'],
  ['create table a (); alter table app.a add b int;', 'in another schema'],
  ['create table "A" (); alter table a add b int;', 'of another name'],
  ['create table a (); alter table a_b add b int;', 'whose name only begins like it'],
  ['create table a (); drop table a;', 'that is dropped'],
  ['create view a as select 1; alter table a add b int;', 'that is none'],
])('does not take for one: %s (a table %s)', (sql) => {
  expect(find(sql)).toEqual([])
})
