import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { excerptOf, placeAt } from './excerpt.ts'

const anyText = fc.string({
  unit: fc.constantFrom('a', ' ', '\t', '\n', '\r\n', 'é', '数', '😀', '👩‍👩‍👧', '\u0301', '\u001B', '"'),
})
const anyPlace = anyText.chain((text) => {
  const offsets = [0]
  for (const character of text) offsets.push(offsets.at(-1)! + character.length)
  return fc.record({ text: fc.constant(text), offset: fc.constantFrom(...offsets) })
})

describe('an excerpt', () => {
  it('has its caret under the character, where each takes one column', () => {
    const lines = fc.array(fc.stringMatching(/^[!-~]{0,300}$/), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(lines, fc.nat(), (all, seed) => {
        const text = all.join('\n')
        const offset = seed % (text.length + 1)
        const shown = excerptOf(text, { start: 0, end: text.length, caret: offset })
        const at = shown.findIndex((line) => /^ *\| *\^$/.test(line))
        const expected = text[offset] === undefined || text[offset] === '\n' ? undefined : text[offset]
        const { line } = placeAt(text, offset)
        expect(shown[at - 1]).toMatch(new RegExp(`^ *${line} \\|`))
        expect(shown[at - 1]![shown[at]!.length - 1]).toBe(expected)
      }),
    )
  })

  it('of anything has one caret, no line that is too long, and nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(anyPlace, ({ text, offset }) => {
        const shown = excerptOf(text, { start: 0, end: text.length, caret: offset })
        expect(shown.filter((line) => /^ *\| *\^$/.test(line))).toHaveLength(1)
        // oxlint-disable-next-line no-control-regex -- These are what it is about.
        for (const line of shown) expect(line).not.toMatch(/[\u0000-\u001F]/)
        expect(shown.length).toBeLessThanOrEqual(5)
      }),
    )
  })
})

describe('a place', () => {
  it('leads back to its offset', () => {
    fc.assert(
      fc.property(anyPlace, ({ text, offset }) => {
        const { line, column } = placeAt(text, offset)
        const before = text.split('\n').slice(0, line - 1)
        const own = Array.from(text.split('\n')[line - 1]!).slice(0, column - 1)
        expect(before.reduce((sum, one) => sum + one.length + 1, 0) + own.join('').length).toBe(offset)
      }),
    )
  })
})
