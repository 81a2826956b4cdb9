import { randomBytes } from 'node:crypto'

import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { exampleDatabase } from '../connect/example-database.ts'
import { exampleRun } from '../run/example-plan.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { recordStart } from './runs.ts'
import { ensureStore } from './tables.ts'
import { findDatabases, findDatabasesLike, listHistories, readDatabaseSizes } from './tenant-databases.ts'

/** Databases with such names behind something that nothing else on the server begins with. */
async function withDatabases(...names: readonly string[]) {
  const database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  const begin = `t${randomBytes(6).toString('hex')}_`
  const all = names.map((name) => `${begin}${name}`)
  for (const name of all) await connection.send(`create database ${quoteIdentifier(name)}`)
  return {
    connection,
    begin,
    [Symbol.asyncDispose]: async () => {
      for (const name of all) await connection.send(`drop database if exists ${quoteIdentifier(name)} with (force)`)
      await database[Symbol.asyncDispose]()
    },
  }
}

describe('findDatabases', () => {
  it('finds those that a server has, by their whole names', async () => {
    await using server = await withDatabases('a', 'a"b', 'ab')
    const { connection, begin } = server

    const found = await findDatabases(connection, [`${begin}a`, `${begin}a"b`, `${begin}c`, begin, `x' or true --`])

    expect([...found]).toEqual([
      [`${begin}a`, 'whole'],
      [`${begin}a"b`, 'whole'],
    ])
    expect([...(await findDatabases(connection, []))]).toEqual([])
  })

  it('knows one that dropping was cut off in', async () => {
    await using server = await withDatabases('cut', 'whole')
    const { connection, begin } = server
    // What DROP DATABASE leaves behind, if the server dies in the middle of it.
    await connection.send(`update pg_database set datconnlimit = -2 where datname = '${begin}cut'`)

    const found = await findDatabases(connection, [`${begin}cut`, `${begin}whole`])

    expect(Object.fromEntries(found)).toEqual({ [`${begin}cut`]: 'broken', [`${begin}whole`]: 'whole' })
  })
})

describe('findDatabasesLike', () => {
  it('takes what stands before and behind as text, with something between them', async () => {
    await using server = await withDatabases('_x', 'a_x', 'b-x', '%_x', 'a_xy')
    const { connection, begin } = server
    const namesLike = async (parts: { begin: string; end: string }) =>
      [...(await findDatabasesLike(connection, parts)).keys()].map((name) => name.slice(begin.length))

    expect(await namesLike({ begin, end: '_x' })).toEqual(['%_x', 'a_x'])
    expect(await namesLike({ begin: `${begin}a`, end: '' })).toEqual(['a_x', 'a_xy'])
    expect(await namesLike({ begin: `${begin}%`, end: '' })).toEqual(['%_x'])
    expect(await namesLike({ begin: `${begin}a_x`, end: '' })).toEqual(['a_xy'])
  })
})

describe('readDatabaseSizes', () => {
  it('tells how large databases are, and nothing of what is not there', async () => {
    await using server = await withDatabases('a')
    const { connection, begin } = server

    const sizes = await readDatabaseSizes(connection, [`${begin}a`, `${begin}b`])

    expect([...sizes]).toEqual([[`${begin}a`, expect.any(Number)]])
    expect(sizes.get(`${begin}a`)).toBeGreaterThan(1_000_000)
  })
})

describe('listHistories', () => {
  it('finds every history of which anything was run, and none where Drover has never been', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    expect(await listHistories(connection)).toEqual([])

    await ensureStore(connection)
    expect(await listHistories(connection)).toEqual([])
    await recordStart(connection, exampleRun(), [])
    await recordStart(connection, { ...exampleRun(), history: 'gdpr' }, [])

    expect(await listHistories(connection)).toEqual(['gdpr', 'main'])
  })

  it('does not believe a schema drover that somebody else has made', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection: Connection = database.connect()
    const role = `stranger_${randomBytes(6).toString('hex')}`
    await connection.send(`create role ${role}; create schema drover authorization ${role}`)
    await connection.send(`create table drover.applied (); alter table drover.applied owner to ${role}`)

    await expect(listHistories(connection)).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' })

    await connection.send(`drop owned by ${role} cascade; drop role ${role}`)
  })
})
