import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { checksum } from './checksum.ts'

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
