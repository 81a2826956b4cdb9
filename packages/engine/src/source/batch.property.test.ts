import fc from 'fast-check'
import { expect, it } from 'vitest'

import { fillRange } from './batch.ts'

const anything = fc.string({ unit: 'grapheme', maxLength: 8 })
const name = fc.constantFrom(':from', ':to', '> :from', '<= :to', '::from', '::to')
const inside = fc.tuple(anything, name, anything).map((parts) => parts.join(''))

/** What has the words in it and is no place for a value. */
const decoy = fc.oneof(
  inside.map((text) => `'${text.replaceAll("'", "''")}'`),
  inside.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  inside.map((text) => `"${text.replaceAll('"', '""')}"`),
  inside.map((text) => `$x$${text.replaceAll('$', '')}$x$`),
  inside.map((text) => `--${text.replaceAll(/[\n\r]/g, ' ')}\n`),
  inside.map((text) => `/*${text.replaceAll(/[*/]/g, ' ')}*/`),
  fc.constantFrom(
    'a::from',
    'b::to',
    ':fromage',
    ':to_do',
    ':from1',
    ': from',
    ':"to"',
    'a[1:x]',
    'from',
    'to',
    'c:',
    '(',
    ')',
  ),
)
const place = fc.constantFrom('id > :from', 'id>:from', 'id <= :to', 'id<=:to')
const blank = fc.constantFrom(' ', '\n', '\t')

it('fills in the places for a range, and nothing in strings, names, comments and casts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(decoy, place), blank)), (parts) => {
      const text = parts.flat().join('')
      const expected = parts
        .map(([part, after]) =>
          /^id ?(?:> ?:from|<= ?:to)$/.test(part)
            ? part.replace(':from', `'1'::int8`).replace(':to', `'9'::int8`) + after
            : part + after,
        )
        .join('')

      expect(fillRange(text, { from: `'1'::int8`, to: `'9'::int8` }).sql).toBe(expected)
    }),
  )
})

it('finds the way back from everything that was in the statement before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(decoy, place), blank), { minLength: 1 }), fc.boolean(), (parts, isFirst) => {
      const text = parts.flat().join('')
      const { sql, originOf } = fillRange(text, { ...(!isFirst && { from: '§' }), to: '§' })

      let last = -1
      for (let at = 0; at < sql.length; at += 1) {
        const origin = originOf(at)
        expect(origin).toBeGreaterThanOrEqual(last)
        // A range that is filled in is the place for it.
        if (text[origin] !== ':') expect(sql[at]).toBe(text[origin])
        last = origin
      }
    }),
  )
})
