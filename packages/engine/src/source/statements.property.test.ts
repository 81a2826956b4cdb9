import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { splitStatements } from './statements.ts'

const anything = fc.string({ unit: 'grapheme', maxLength: 12 })
const tag = fc.stringMatching(/^[a-z_ü][a-z0-9_ü]{0,5}$/)
const word = fc.stringMatching(/^[a-z_ü😀][a-z0-9_$ü😀]{0,7}$/u).filter((text) => text !== 'e')
const line = anything.map((text) => text.replaceAll(/[\n\r]/g, ' '))

const token = fc.oneof(
  word,
  fc.constantFrom('1', '+', '-', '.', ',', '::', '*', '$1', 'create', 'function', 'table', 'select'),
  anything.map((text) => `'${text.replaceAll("'", "''")}'`),
  // Something stands behind it: a string after a line break would belong to it, and be read with its backslashes.
  anything.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'::text`),
  anything.map((text) => `"${text.replaceAll('"', '""')}"`),
  fc.tuple(tag, anything).map(([name, text]) => `$${name}$${text.replaceAll('$', '')}$${name}$`),
  anything.map((text) => `$$${text.replaceAll('$', '')}$$`),
  line.map((text) => `--${text}\n`),
  anything.map((text) => `/*${text.replaceAll(/[*/]/g, ' ')}*/`),
  fc.tuple(word, word).map(([one, other]) => `(${one}; ${other})`),
)
const blank = fc.constantFrom(' ', '\n', '\t', '\r\n')
const statement = fc
  .array(
    fc.tuple(token, blank).map((parts) => parts.join('')),
    { maxLength: 10 },
  )
  .map(
    // A statement neither begins nor ends with a comment or a blank: its text leaves them out.
    (tokens) => `select ${tokens.join('')}end`,
  )

describe('splitStatements', () => {
  it('gives back the statements that were joined with semicolons', () => {
    fc.assert(
      fc.property(fc.array(statement), fc.array(blank, { minLength: 1 }), (statements, blanks) => {
        const sql = statements.map((text, index) => `${blanks[index % blanks.length]}${text};`).join('')
        const found = splitStatements(sql)

        expect(found.map(({ text }) => text)).toEqual(statements)
        for (const { text, start, end } of found) {
          expect(sql.slice(start, start + text.length)).toBe(text)
          expect(sql[end]).toBe(';')
        }
      }),
    )
  })

  it('loses nothing but blanks, comments and semicolons, whatever the text', () => {
    const pieces = fc.array(
      fc.oneof(anything, fc.constantFrom("'", '"', '$$', '$a$', '/*', '*/', '--', ';', '(', ')', '\n', "E'", '\\')),
    )
    fc.assert(
      fc.property(pieces, (texts) => {
        const sql = texts.join('')
        let at = 0
        for (const { text, start, end } of splitStatements(sql)) {
          expect(splitStatements(sql.slice(at, start))).toEqual([])
          expect(sql.slice(start, start + text.length)).toBe(text)
          expect(end).toBeGreaterThanOrEqual(start + text.length)
          at = end
        }
        expect(splitStatements(sql.slice(at))).toEqual([])
      }),
    )
  })
})
