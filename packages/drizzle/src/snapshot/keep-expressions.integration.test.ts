import { ConnectionUrl, openConnection } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { expect, inject, test } from 'vitest'

import { keepExpressions } from './keep-expressions.ts'

test.each([
  'a between 0 and 1 and b between 0 and 1',
  'a not between 0 and 1 or b = 3',
  'a between 0 and b + 1 and a <> 7 and b is not null',
  '(a between 0 and 1 or b = 2) and c > $$x$$',
  '((a between 0 and 1 and b = 2) or b = 4)',
  'not (a between symmetric 0 and 1) and b = 1',
  `c in ('x', 'y')`,
  `c not in ('x', 'y') and a between 0 and 1`,
  `c in ('x') or c = 'it''s'`,
  `length(c) between 1 and 5 and c similar to 'a%'`,
])('a check of %s is read back as what the server has written of it', async (condition) => {
  await using database = await createThrowawayDatabase(inject('serverUrl'))
  await using connection = openConnection(ConnectionUrl.parse(database.url, 'the test'))
  const read = async (name: string) => {
    const [row] = await connection.send(
      `select pg_get_constraintdef(oid) as text from pg_constraint where conname = '${name}'`,
    )
    return String(row?.['text'])
  }
  await connection.send('create table t (a integer, b integer, c varchar(20))')
  await connection.send(`alter table t add constraint one check (${condition})`)

  const written = await read('one')
  await connection.send(keepExpressions(`alter table t add constraint other ${written}`))

  expect(await read('other')).toBe(written)
})
