import { type Connection, ConnectionUrl, openConnection, readCatalog, withoutPlaces } from '@drover/engine'
import { createThrowawayDatabase, type ThrowawayDatabase } from '@drover/server'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { changedFiles, exampleObjects, exampleTables, firstFiles } from './example-objects.ts'
import type { ObjectFile } from './object-file.ts'
import { changeObjects, creationOrder } from './objects.ts'

/** Databases with the tables alone, and with the example objects, to be copied. */
let tables: ThrowawayDatabase
let all: ThrowawayDatabase
beforeAll(async () => {
  tables = await createThrowawayDatabase(inject('serverUrl'))
  await withConnection(tables, (connection) => connection.send(exampleTables))
  all = await createThrowawayDatabase(inject('serverUrl'), { template: tables.name })
  await withConnection(all, (connection) => go(connection, [], firstFiles()))
})
afterAll(async () => {
  await all?.[Symbol.asyncDispose]()
  await tables?.[Symbol.asyncDispose]()
})

async function withConnection<T>(
  database: ThrowawayDatabase,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  await using connection = openConnection(ConnectionUrl.parse(database.url, 'the test'))
  return await work(connection)
}

async function inCopyOf<T>(template: ThrowawayDatabase, work: (connection: Connection) => Promise<T>): Promise<T> {
  await using copy = await createThrowawayDatabase(inject('serverUrl'), { template: template.name })
  return await withConnection(copy, work)
}

/** The schema after all that leads from one set of objects to another has run. */
async function go(connection: Connection, from: readonly ObjectFile[], to: readonly ObjectFile[]) {
  const { before, early, late, gaps } = await changeObjects(from, to)
  if (gaps.length > 0) throw new Error(gaps.join('\n'))
  await connection.send([...before, ...early, ...late].join(';\n'))
  return withoutPlaces(await readCatalog(connection))
}

/** The objects that no other needs. Of each four neighbours one goes, one comes, one changes, and one stays. */
function mix(shift: number): readonly [from: readonly ObjectFile[], to: readonly ObjectFile[]] {
  const needed = [
    'btree_gist',
    'app',
    'is_email',
    'longer',
    'touch',
    'standard_body',
    'happy_users',
    'b_over_view',
    'totals',
  ]
  const fates = exampleObjects.map(({ file, sql, changed }, at) => {
    const isNeeded = needed.some((name) => file.endsWith(`/${name}.sql`))
    const fate = isNeeded ? 2 + ((at + shift) % 2) : (at + shift) % 4
    return {
      from: fate === 0 ? [] : [{ file, sql }],
      to: fate === 1 ? [] : [{ file, sql: fate === 2 ? changed : sql }],
    }
  })
  return [fates.flatMap(({ from }) => from), fates.flatMap(({ to }) => to)]
}

describe('changeObjects on a server', () => {
  it('creates every kind of object, takes it away, and creates it again', async () => {
    await inCopyOf(tables, async (connection) => {
      const none = withoutPlaces(await readCatalog(connection))

      const created = await go(connection, [], firstFiles())
      expect(created.length).toBeGreaterThan(none.length + exampleObjects.length)
      expect(await go(connection, firstFiles(), [])).toEqual(none)
      expect(await go(connection, [], firstFiles())).toEqual(created)
    })
  })

  it.each(exampleObjects)('changes $file among all the others, and back', async ({ file, changed }) => {
    const other = firstFiles().map((object) => (object.file === file ? { file, sql: changed } : object))
    await inCopyOf(all, async (connection) => {
      const created = withoutPlaces(await readCatalog(connection))

      await go(connection, firstFiles(), other)
      expect(await go(connection, other, firstFiles())).toEqual(created)
    })
  })

  it('leads to what the objects are when they are made from nothing', async () => {
    const made = await inCopyOf(tables, (connection) => go(connection, [], changedFiles()))
    const changed = await inCopyOf(all, (connection) => go(connection, firstFiles(), changedFiles()))

    expect(changed).toEqual(made)
  })

  it.each([0, 1, 2, 3])('does so when objects come, go, change and stay at once, and back (%i)', async (shift) => {
    const [from, to] = mix(shift)
    const before = await inCopyOf(tables, (connection) => go(connection, [], from))
    const after = await inCopyOf(tables, (connection) => go(connection, [], to))

    await inCopyOf(tables, async (connection) => {
      await go(connection, [], from)
      expect(await go(connection, from, to)).toEqual(after)
      expect(await go(connection, to, from)).toEqual(before)
    })
  })
})

describe('creationOrder on a server', () => {
  it('orders files so that each can be created as it is', async () => {
    await inCopyOf(tables, async (connection) => {
      for (const { sql } of await creationOrder(firstFiles())) await connection.send(sql)

      const created = await withConnection(all, readCatalog)
      expect(withoutPlaces(await readCatalog(connection))).toEqual(withoutPlaces(created))
    })
  })
})
