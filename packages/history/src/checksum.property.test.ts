import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { checksum, fingerprintOf } from './checksum.ts'

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ''))
const lines = fc.array(line, { maxLength: 20 })

describe('checksum', () => {
  it('stays the same through a checkout with other line endings and a byte-order mark', () => {
    fc.assert(
      fc.property(lines, (text) => {
        expect(checksum(`\uFEFF${text.join('\r\n')}`)).toBe(checksum(text.join('\n')))
      }),
    )
  })

  it('changes with the text', () => {
    fc.assert(
      fc.property(lines, lines, (one, other) => {
        const [first, second] = [one.join('\n'), other.join('\n')]
        expect(checksum(first) === checksum(second)).toBe(first === second)
      }),
    )
  })
})

const sumsOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([id, text]) => [id, checksum(text)]))

describe('fingerprintOf', () => {
  const revisions = fc.dictionary(fc.stringMatching(/^[0-9a-f]{2}$/), fc.constantFrom('a', 'b'), { maxKeys: 4 })

  it('is the same for the same revisions with the same texts, and for no others', () => {
    fc.assert(
      fc.property(revisions, revisions, (one, other) => {
        const isSame =
          Object.keys(one).length === Object.keys(other).length &&
          Object.entries(one).every(([id, text]) => other[id] === text)
        expect(fingerprintOf(sumsOf(one)) === fingerprintOf(sumsOf(other))).toBe(isSame)
      }),
    )
  })
})
