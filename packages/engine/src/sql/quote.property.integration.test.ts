import fc from 'fast-check'
import { expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { quoteArray, quoteLiteral } from './quote.ts'

/** Everything that ends or escapes something in a literal, in an array, or in both. */
const awkward = ['', 'NULL', '$$', '--', '/*', ...Array.from(`'"\\{}, \n\t;Eä😀\u200d`)]
const text = fc
  .array(fc.oneof(fc.constantFrom(...awkward), fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 6 })
  .map((pieces) => pieces.join(''))
  .filter((joined) => joined.isWellFormed() && !joined.includes('\0'))

it.each(['on', 'off'])('has the server read what was quoted, with standard_conforming_strings %s', async (setting) => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  // In a message of its own: the server reads all of one before it carries out any of it.
  await connection.send(`set standard_conforming_strings = ${setting}`)
  expect(await connection.send(String.raw`select length('\\') as count`)).toEqual([{ count: setting === 'on' ? 2 : 1 }])

  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (texts) => {
      const single = texts.join('')
      const [row] = await connection.send(
        `select to_json(${quoteArray(texts, 'text')})::text as texts, ${quoteLiteral(single)} as single`,
      )
      expect(JSON.parse(String(row?.['texts']))).toEqual(texts)
      expect(row?.['single']).toBe(single)
    }),
    { numRuns: 200 },
  )
})
