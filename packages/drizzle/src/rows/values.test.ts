import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { noLiterals } from './literals.ts'
import type { TypeShape } from './table-shape.ts'
import { valuesOf } from './values.ts'

const plain: TypeShape = {
  oid: '1',
  name: 'text',
  kind: 'b',
  builtIn: true,
  element: null,
  delimiter: ',',
  base: null,
  baseModifier: -1,
  checks: [],
  notNull: false,
  bound: null,
  labels: [],
  attributes: [],
}

describe('valuesOf', () => {
  it('begins texts with a plain one and an empty one, and has one that fills the column', () => {
    const { texts, sure } = values({ name: 'varchar' }, 4 + 30)

    expect(texts.slice(0, 2)).toEqual(['Ada', ''])
    expect(Math.max(...texts.map((text) => text.length))).toBe(30)
    expect(sure).toBe(true)
  })

  it('keeps to the length of the column, whatever a check names', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.array(fc.string()),
        fc.array(fc.nat(200)),
        (length, strings, numbers) => {
          const literals = { strings, numbers: numbers.map(String) }
          for (const name of ['varchar', 'bpchar']) {
            const { texts } = valuesOf(new Map([['1', { ...plain, name }]]), '1', 4 + length, literals)
            expect(texts.filter((text) => Array.from(text).length > length)).toEqual([])
            expect(new Set(texts).size).toBe(texts.length)
          }
        },
      ),
    )
  })

  it('keeps to precision and scale, or is not sure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -10, max: 40 }), (precision, scale) => {
        const modifier = ((precision << 16) | (scale & 0x7_ff)) + 4
        const { texts, sure } = values({ name: 'numeric' }, modifier)
        const whole = texts.map((text) => /^-?0*(\d*)/.exec(text)?.[1]?.length ?? 0)
        expect(!sure || Math.max(...whole) <= precision - scale).toBe(true)
        expect(texts.length).toBeGreaterThan(5)
      }),
    )
  })

  it('has zero, a negative and a large number of every integer type', () => {
    expect(values({ name: 'int2' }).texts.slice(0, 4)).toEqual(['1', '0', '-1', '32000'])
    expect(values({ name: 'int8' }).texts).toContain('9000000000000000000')
  })

  it('has bits of the length asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (length) => {
        const { texts } = values({ name: 'bit' }, length)
        expect(new Set(texts.map((text) => text.length))).toEqual(new Set([length]))
      }),
    )
  })

  it('has every label of an enum, in order, and quotes them in an array', () => {
    const types = new Map<string, TypeShape>([
      ['1', { ...plain, kind: 'e', labels: ['a', 'b "c"', 'd\\'] }],
      ['2', { ...plain, element: '1' }],
    ])

    expect(valuesOf(types, '1', -1, noLiterals).texts).toEqual(['a', 'b "c"', 'd\\'])
    const arrays = valuesOf(types, '2', -1, noLiterals).texts
    expect(arrays.slice(0, 4)).toEqual(['{"a"}', '{}', String.raw`{"a","b \"c\"","b \"c\""}`, String.raw`{"d\\",NULL}`])
  })

  it('is sure of a domain only without checks, and guesses by what they name', () => {
    const types = new Map<string, TypeShape>([
      ['1', plain],
      ['2', { ...plain, kind: 'd', base: '1' }],
      ['3', { ...plain, kind: 'd', base: '2', checks: [`(VALUE ~~ '%-end'::text)`] }],
    ])

    expect(valuesOf(types, '2', -1, noLiterals).sure).toBe(true)
    const { sure, texts } = valuesOf(types, '3', -1, noLiterals)
    expect(sure).toBe(false)
    expect(texts).toContain('a-end')
  })

  it('makes ranges that do not overlap', () => {
    const types = new Map<string, TypeShape>([
      ['1', { ...plain, name: 'int4' }],
      ['2', { ...plain, kind: 'r', bound: '1' }],
    ])

    expect(valuesOf(types, '2', -1, noLiterals).texts.slice(0, 2)).toEqual(['["-10","0")', '["10","20")'])
  })

  it('offers the usual notations for a type it does not know, and a list of the length it has', () => {
    const { sure, texts } = values({ name: 'vector', builtIn: false }, 4)

    expect(sure).toBe(false)
    expect(texts).toContain('[1,1,1,1]')
  })

  it('offers the days around one that a check names', () => {
    const types = new Map([['1', { ...plain, name: 'date' }]])

    const { texts } = valuesOf(types, '1', -1, { strings: ['2500-12-31'], numbers: [] })

    expect(texts).toEqual(expect.arrayContaining(['2500-12-31', '2501-01-01', '2500-12-30']))
  })
})

function values(type: Partial<TypeShape>, modifier = -1) {
  return valuesOf(new Map([['1', { ...plain, ...type }]]), '1', modifier, noLiterals)
}
