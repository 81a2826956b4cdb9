import { expect, inject, test } from 'vitest'

import { exampleRunner, type ExampleRunner } from './example-runner.ts'
import type { StepObservation } from './observe.ts'

/** Runs one script in a database where `before` was run, and returns what was observed of it. */
async function observe(
  before: string,
  source: Parameters<ExampleRunner['upgrade']>[0][number],
): Promise<StepObservation & { readonly end: string }> {
  await using runner = await exampleRunner(inject('serverUrl'))
  await runner.database.connect().send(before)
  const seen: StepObservation[] = []

  const { end } = await runner.upgrade([source], { onObserved: (observation) => seen.push(observation) })

  expect(seen).toHaveLength(1)
  return { ...seen[0]!, end: end.kind }
}

const users = 'create table users (id integer primary key, name text); insert into users values (1, null)'
const lockOf = (mode: string, relation = 'public.users') => ({ relation, mode })

test('tells of each statement its line, and the strongest lock that it took on what was there before', async () => {
  const { statements, locks, sampled, end } = await observe(users, {
    up: [
      'create table notes (author integer references users);',
      'alter table users add column code text;',
      'create index on notes (author);',
      'update users set code = name;',
    ].join('\n\n'),
  })

  expect(end).toBe('succeeded')
  expect(sampled).toBe(false)
  expect(statements).toMatchObject([
    { statement: 1, line: 1, locks: [lockOf('ShareRowExclusiveLock')], sampled: false },
    { statement: 2, line: 3, text: 'alter table users add column code text', locks: [lockOf('AccessExclusiveLock')] },
    { statement: 3, line: 5, locks: [] },
    // What its transaction has already is nothing that it takes.
    { statement: 4, line: 7, locks: [] },
  ])
  expect(locks).toMatchObject([{ ...lockOf('AccessExclusiveLock'), kind: 'table' }])
})

test('tells how long a lock was held: from its statement to the end of the transaction', async () => {
  const { statements, locks } = await observe(users, {
    up: 'alter table users add column code text; select pg_sleep(0.2); create table notes ();',
  })

  const [alter, sleep, create] = statements.map(({ durationMs }) => durationMs)
  expect(sleep).toBeGreaterThanOrEqual(200)
  expect(locks[0]!.heldMs).toBeCloseTo(alter! + sleep! + create!, 3)
})

test('a lock on an index, or on what is kept apart from a table, counts as one on the table', async () => {
  const { statements } = await observe(`${users}; create index by_name on users (name)`, {
    up: 'drop index by_name; alter table users rename to people;',
  })

  expect(statements.map(({ locks }) => locks)).toMatchObject([[lockOf('AccessExclusiveLock')], []])
})

test('names a table as it was called before, though it is gone', async () => {
  const { locks } = await observe('create schema "My app"; create table "My app".users ()', {
    up: 'drop table "My app".users;',
  })

  expect(locks).toMatchObject([lockOf('AccessExclusiveLock', '"My app".users')])
})

test('views, sequences and materialized views are locked as well', async () => {
  const { locks } = await observe(
    'create table t (id integer); create view v as select 1 as one; create sequence s; create materialized view m as select 1',
    { up: 'drop view v; alter sequence s restart; refresh materialized view m;' },
  )

  expect(locks).toMatchObject([
    { relation: 'public.m', kind: 'materialized view', mode: 'AccessExclusiveLock' },
    { relation: 'public.s', kind: 'sequence', mode: 'ShareRowExclusiveLock' },
    { relation: 'public.v', kind: 'view', mode: 'AccessExclusiveLock' },
  ])
})

test('a script that hides the functions of PostgreSQL behind its own changes nothing of what is seen', async () => {
  const { locks, end } = await observe(
    `${users}; create schema evil;
create function evil.json_agg(json) returns json language sql as 'select null::json';
create function evil.int8eq(bigint, bigint) returns boolean language sql as 'select false';
create view evil.pg_locks as select 1 as nothing`,
    { up: 'set search_path = evil, public, pg_catalog; alter table users add column code text;' },
  )

  expect(end).toBe('succeeded')
  expect(locks).toMatchObject([lockOf('AccessExclusiveLock')])
})

test('of a revision that fails, tells what it had come to', async () => {
  const { statements, end } = await observe(users, {
    up: 'alter table users add column code text; select 1 / 0; create table notes ();',
  })

  expect(end).toBe('failed')
  expect(statements).toMatchObject([{ statement: 1, locks: [lockOf('AccessExclusiveLock')] }])
})

test('outside a transaction: exact where a statement has one of its own, and looked at from outside where it has none', async () => {
  const { statements, sampled } = await observe(
    `${users}; insert into users select n, n from generate_series(2, 200000) as n`,
    {
      transaction: 'none',
      up: "alter table users alter column name set default '';\ncreate index concurrently by_name on users (name);",
    },
  )

  expect(sampled).toBe(true)
  expect(statements).toMatchObject([
    { statement: 1, line: 1, locks: [lockOf('AccessExclusiveLock')], sampled: false },
    { statement: 2, line: 2, locks: [lockOf('ShareUpdateExclusiveLock')], sampled: true },
  ])
})

test('with transactions of its own, the whole is looked at from outside', async () => {
  const { statements, locks, sampled } = await observe(users, {
    transaction: 'own',
    up: 'begin; lock table users in share mode; select pg_sleep(0.3); commit;',
  })

  expect({ statements, sampled }).toEqual({ statements: [], sampled: true })
  expect(locks).toMatchObject([lockOf('ShareLock')])
})
