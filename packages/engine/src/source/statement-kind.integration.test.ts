import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { type ExampleDatabase, exampleDatabase } from '../connect/example-database.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { runsOutsideTransaction } from './outside-transaction.ts'
import { parseStatements } from './statement-kind.ts'

const outside = [
  'create index concurrently i2 on t (a)',
  'create unique /* fast */ index concurrently if not exists "i 2" on t (a)',
  'drop index concurrently i',
  'reindex index concurrently i',
  'reindex (verbose, concurrently) table t',
  'reindex (concurrently true) table t',
  'reindex schema public',
  'reindex (verbose) system template1',
  'alter table parted detach partition part concurrently',
  'vacuum t',
  'vacuum (analyze, full) t',
  'cluster',
  'discard all',
  'create database d',
  'drop database nowhere',
  `create tablespace s location '/nowhere'`,
  'drop tablespace nowhere',
  `alter system set work_mem = '1MB'`,
  'alter database template1 set tablespace pg_default',
  `create subscription s connection 'dbname=nowhere' publication p`,
]

const inside = [
  'create index i2 on t (a)',
  'drop index i',
  'reindex (concurrently false) table t',
  'reindex (concurrently off) table t',
  'reindex table t',
  'alter table parted detach partition part',
  'analyze t',
  'cluster t using i',
  'discard temp',
  'alter database template1 connection limit -1',
  `create subscription s connection 'dbname=nowhere' publication p with (connect = false)`,
  'refresh materialized view concurrently v',
  `alter type mood add value 'glad'`,
  'create table vacuum (cluster text)',
  'select',
]

let database: ExampleDatabase

beforeAll(async () => {
  database = await exampleDatabase(inject('serverUrl'))
  await database.connect().send(`create table t (a int);
create index i on t (a);
create table parted (a int) partition by list (a);
create table part partition of parted for values in (1);
create materialized view v as select 1 as a;
create unique index on v (a);
create type mood as enum ('sad')`)
})

afterAll(() => database[Symbol.asyncDispose]())

describe('parseStatements', () => {
  it.each(outside)('knows of %j what the server does: it refuses it in a transaction', async (statement) => {
    expect(await parseStatements([statement])).toEqual([{ kind: 'outside' }])
    expect(await isRefused(statement)).toBe(true)
  })

  it('knows of "reindex (verbose) system", to which servers before 16 want a name', async () => {
    const [row] = await database.connect().send(`select current_setting('server_version_num')::int >= 160000 as known`)

    expect(await parseStatements(['reindex (verbose) system'])).toEqual([{ kind: 'outside' }])
    expect(runsOutsideTransaction('reindex (verbose) system')).toBe(true)
    if (row?.['known'] === true) expect(await isRefused('reindex (verbose) system')).toBe(true)
    else await expect(isRefused('reindex (verbose) system')).rejects.toMatchObject({ code: '42601' })
  })

  it.each(inside)('knows of %j what the server does: it runs in a transaction', async (statement) => {
    expect(await parseStatements([statement])).toEqual([{ kind: 'inside' }])
    expect(await isRefused(statement)).toBe(false)
  })

  it.each(['begin', 'start transaction', 'commit', 'end', 'rollback', 'abort', `prepare transaction 'x'`])(
    'tells %j, which begins or ends a transaction, from savepoints',
    async (statement) => {
      expect(await parseStatements([statement, 'savepoint s', 'rollback to s', 'release s'])).toEqual([
        { kind: 'transaction' },
        { kind: 'inside' },
        { kind: 'inside' },
        { kind: 'inside' },
      ])
    },
  )

  it('says what is no statement, and where that shows, whatever characters stand before it', async () => {
    const text = `select 'é😀' frmo bar baz`

    expect(await parseStatements([text])).toEqual([{ fault: 'syntax error at or near "bar"', at: text.indexOf('bar') }])
    expect(await parseStatements(['create table t (a int'])).toEqual([
      { fault: 'syntax error at end of input', at: 'create table t (a int'.length },
    ])
  })
})

describe('runsOutsideTransaction', () => {
  it('overlooks nothing that the parser would find', () => {
    expect(outside.filter((statement) => !runsOutsideTransaction(statement))).toEqual([])
  })
})

/** Whether the server refuses a statement because it is in a transaction, which changes nothing in either case. */
async function isRefused(statement: string): Promise<boolean> {
  const connection = database.connect()
  try {
    await connection.send(`begin; ${statement}; rollback`)
    return false
  } catch (error) {
    if (sqlstateOf(error) === '25001') return true
    throw error
  } finally {
    await connection.send('rollback')
  }
}
