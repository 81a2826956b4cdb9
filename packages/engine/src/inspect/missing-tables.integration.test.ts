import { expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { findMissingTables } from './missing-tables.ts'

const named = (schema: string, ...tables: readonly string[]) => tables.map((table) => ({ schema, table }))

it('finds what is not there, in the order in which it was asked for', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await connection.send(`create schema audit; create table audit.logs (); create table users ();`)

  const missing = await findMissingTables(connection, [
    ...named('public', 'zebra', 'users', 'logs'),
    ...named('audit', 'users', 'logs'),
    ...named('nowhere', 'users'),
  ])

  expect(missing).toEqual([
    ...named('public', 'zebra', 'logs'),
    ...named('audit', 'users'),
    ...named('nowhere', 'users'),
  ])
})

it('takes whatever rows are read from for a table, and nothing else', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await connection.send(`
create table plain (id integer primary key);
create table parted (id integer) partition by list (id);
create view seen as select 1 as one;
create materialized view kept as select 1 as one;
create extension postgres_fdw;
create server elsewhere foreign data wrapper postgres_fdw;
create foreign table afar (id integer) server elsewhere;
create sequence counted;
create type made as (id integer)`)

  const missing = await findMissingTables(
    connection,
    named('public', 'plain', 'parted', 'seen', 'kept', 'afar', 'plain_pkey', 'counted', 'made'),
  )

  expect(missing).toEqual(named('public', 'plain_pkey', 'counted', 'made'))
})

it('is not misled by quotes, letter case or a search_path', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await connection.send(`create schema "O'Hara"; create table "O'Hara"."T""1" (); set search_path = 'O''Hara'`)

  const missing = await findMissingTables(connection, [...named("O'Hara", 'T"1', 't"1'), ...named('public', 'T"1')])

  expect(missing).toEqual([...named("O'Hara", 't"1'), ...named('public', 'T"1')])
})

it('asks nothing when nothing is wanted', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const nowhere = { send: () => Promise.reject(new Error('it was asked')) }

  expect(await findMissingTables({ ...database.connect(), ...nowhere }, [])).toEqual([])
})
