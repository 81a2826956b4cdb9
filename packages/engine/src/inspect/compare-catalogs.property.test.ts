import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { withoutPlaces } from './catalog-line.ts'
import { compareCatalogs } from './compare-catalogs.ts'
import { describeDifference } from './describe-difference.ts'

const name = fc.constantFrom('users', 'posts', '"a: b"', '"x "" comment"', 'comment', 'privileges')
const part = fc.oneof(
  fc.constantFrom('', ' comment', ' privileges'),
  fc
    .tuple(fc.constantFrom('column', 'index', 'constraint', 'trigger'), name, fc.constantFrom('', ' comment'))
    .map(([kind, called, about]) => ` ${kind} ${called}${about}`),
)
const detail = fc.constantFrom('text', '#1 text', 'integer not null', "default ': 0001: '", '', 'column id: text')
const catalog = fc
  .uniqueArray(fc.record({ object: name, part, detail }), { selector: (one) => `${one.object}${one.part}` })
  .map((lines) => lines.map((one) => `table app.${one.object}${one.part}: ${one.detail}`).toSorted())

const opposite = { missing: 'unexpected', unexpected: 'missing', different: 'different' } as const

describe('compareCatalogs', () => {
  it('finds nothing between a catalogue and itself, with and without the places of columns', () => {
    fc.assert(
      fc.property(catalog, (lines) => {
        expect(compareCatalogs(lines, lines)).toEqual([])
        expect(compareCatalogs(withoutPlaces(lines), lines)).toEqual([])
      }),
    )
  })

  it('finds something between catalogues that say different things', () => {
    fc.assert(
      fc.property(catalog, catalog, (one, other) => {
        const same = JSON.stringify(withoutPlaces(one)) === JSON.stringify(withoutPlaces(other))

        expect(compareCatalogs(one, other).length === 0).toBe(same)
      }),
    )
  })

  it('finds the opposite the other way round', () => {
    fc.assert(
      fc.property(catalog, catalog, (one, other) => {
        const turned = compareCatalogs(other, one).map((difference) => ({
          ...difference,
          kind: opposite[difference.kind],
          expected: difference.found,
          found: difference.expected,
        }))

        expect(turned).toEqual(compareCatalogs(one, other))
      }),
    )
  })

  it('tells every thing once, and can say it', () => {
    fc.assert(
      fc.property(catalog, catalog, (one, other) => {
        const differences = compareCatalogs(one, other)

        const things = differences.map((difference) => `${difference.object} ${difference.part ?? ''}`)
        expect(new Set(things).size).toBe(things.length)
        for (const difference of differences) expect(describeDifference(difference)[0]).toContain(difference.object)
      }),
    )
  })
})

describe('withoutPlaces', () => {
  it('keeps the order and everything but the places, and has nothing left to do', () => {
    fc.assert(
      fc.property(catalog, (lines) => {
        const bare = withoutPlaces(lines)

        expect(bare.map((line) => line.replace('#1 ', ''))).toEqual(lines.map((line) => line.replace('#1 ', '')))
        expect(withoutPlaces(bare)).toEqual(bare)
      }),
    )
  })
})
