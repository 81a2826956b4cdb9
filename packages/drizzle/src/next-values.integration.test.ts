import { openConnection, ConnectionUrl } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { expect, inject, it } from 'vitest'

import { createExampleFolder } from './kit/example-schemas.ts'
import { startKit } from './kit/kit.ts'
import { emptyState } from './kit/state.ts'
import { continueNumbering } from './next-values.ts'

const key = (column: string) => `export const t = pg.pgTable('t', { key: ${column}.primaryKey(), name: pg.text() })`
const plain = key('pg.integer()')
const serial = key('pg.serial()')
const identity = key('pg.integer().generatedByDefaultAsIdentity()')
const small = key('pg.smallint().generatedByDefaultAsIdentity()')
const late = key('pg.integer().generatedByDefaultAsIdentity({ startWith: 100, maxValue: 1000 })')

it.each([
  ['a plain column to serial', plain, serial, '1, 3', 4],
  ['a plain column to identity', plain, identity, '1, 3', 4],
  ['a plain column to a small identity', key('pg.smallint()'), small, '1, 3', 4],
  ['serial to identity', serial, identity, '1, 3', 4],
  ['a plain column to an identity that starts late', plain, late, '1, 3', 100],
  ['a plain column to an identity that starts between the rows', plain, late, '1, 300', 301],
  ['negative numbers', plain, identity, '-5, -3', 1],
])('numbers the next row behind those that are there: %s', async (_, before, after, rows, next) => {
  await using folder = await createExampleFolder()
  await using kit = startKit(folder.root)
  await using database = await createThrowawayDatabase(inject('serverUrl'))
  await using connection = openConnection(ConnectionUrl.parse(database.url, 'the server of the tests'))
  const [from, to] = [
    await kit.readSchema(await folder.schema(before)),
    await kit.readSchema(await folder.schema(after)),
  ]
  const [creation, change] = [await kit.diff(emptyState, from, []), await kit.diff(from, to, [])]
  if (!creation.ok || !change.ok) throw new Error('drizzle-kit has questions')
  for (const statement of creation.statements) await connection.send(statement)
  await connection.send(`insert into t (key) select unnest(array[${rows}])`)

  for (const statement of continueNumbering(change.statements, from, to, [])) await connection.send(statement)

  const keys: unknown[] = []
  await connection.send(`insert into t (name) values ('next') returning key`, (row) => keys.push(row['key']))
  expect(keys.map(Number)).toEqual([next])
})
