import { describe, expect, it } from 'vitest'

import { findConcurrentIndex, findSettings, leavesSomething, runsOutsideTransaction } from './outside-transaction.ts'

describe('runsOutsideTransaction', () => {
  it.each([
    'create index concurrently i on t (a)',
    'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "t" ("a")',
    'create index /* fast */ concurrently i on t (a)',
    'create\n  index -- fast\n  concurrently i on t (a)',
    'drop index concurrently if exists s.i',
    'reindex index concurrently i',
    'reindex (concurrently, verbose) table t',
    'reindex database d',
    'REINDEX (verbose) SYSTEM',
    'alter table p detach partition c concurrently',
    'vacuum',
    'VACUUM (full) t',
    'create database d',
    'drop  database d',
    "create tablespace s location '/x'",
    'alter system set work_mem = 1',
  ])('knows %j', (statement) => {
    expect(runsOutsideTransaction(statement)).toBe(true)
  })

  it.each([
    'create index i on t (a)',
    'create index concurrently_made on t (a)',
    'create index "i concurrently" on t (a)',
    'create table vacuum ()',
    'create table concurrently ()',
    "comment on table t is 'create index concurrently'",
    "insert into t values ('vacuum; drop index concurrently i')",
    'refresh materialized view concurrently v',
    'reindex table t',
    'drop index i',
    "alter type mood add value 'blue'",
    'create function f() returns void language sql as $$ create index concurrently i on t (a) $$',
    'alter table t rename column a to concurrently',
  ])('leaves %j in its transaction', (statement) => {
    expect(runsOutsideTransaction(statement)).toBe(false)
  })
})

describe('findConcurrentIndex', () => {
  it.each([
    ['create index concurrently i on t (a)', { verb: 'create', table: 't', name: 'i' }],
    ['CREATE UNIQUE INDEX CONCURRENTLY I ON T(a)', { verb: 'create', table: 'T', name: 'i' }],
    [
      'create index concurrently if not exists "A ""b""" on "S.x" . "t" using gin (a)',
      { verb: 'create', table: '"S.x" . "t"', name: 'A "b"' },
    ],
    ['create index concurrently"on"on"t"(a)', { verb: 'create', table: '"t"', name: 'on' }],
    ['create index concurrently ÖL on Öl (a)', { verb: 'create', table: 'Öl', name: 'Öl' }],
    ['drop index concurrently i', { verb: 'drop', name: 'i' }],
    ['DROP INDEX CONCURRENTLY IF EXISTS s."I" RESTRICT', { verb: 'drop', name: 's."I"' }],
  ])('reads %j', (statement, expected) => {
    expect(findConcurrentIndex(statement)).toEqual(expected)
  })

  it.each([
    'create index concurrently on t (a)',
    'create index i on t (a)',
    'drop index concurrently a, b',
    'create index concurrently i on only t (a)',
    'reindex index concurrently i',
    'select 1',
  ])('concludes nothing from %j', (statement) => {
    expect(findConcurrentIndex(statement)).toBeUndefined()
  })
})

describe('findSettings', () => {
  it('finds what lasts longer than a transaction', () => {
    const lasting = [
      'set search_path = s',
      'SET ROLE r',
      'set session authorization x',
      'reset role',
      "set time zone 'UTC'",
    ]
    const others = [
      'set local role r',
      'set transaction read only',
      'set constraints all deferred',
      'select 1',
      'settle',
    ]

    expect(findSettings([...lasting, ...others])).toEqual(lasting)
  })
})

describe('leavesSomething', () => {
  it.each([
    'set search_path = s',
    'RESET ALL',
    "select pg_catalog.set_config('a.b', 'c', false)",
    "do $$ begin perform set_config ('a.b', 'c', false); end $$",
    'create temp table t ()',
    'CREATE LOCAL TEMPORARY VIEW v AS SELECT 1',
  ])('knows %j', (statement) => {
    expect(leavesSomething(statement)).toBe(true)
  })

  it.each([
    'set local search_path = s',
    'create table temp_answers ()',
    "insert into t values ('select set_config(')",
    'create function f() returns void language sql as $$ select set_config(1) $$',
  ])('finds nothing in %j', (statement) => {
    expect(leavesSomething(statement)).toBe(false)
  })
})
