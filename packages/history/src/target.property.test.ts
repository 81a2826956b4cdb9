import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { generatedId } from './generated-history.ts'
import {
  type Anchor,
  faultOfLabel,
  formatRange,
  formatTarget,
  parseRange,
  parseTarget,
  type Range,
  type Target,
} from './target.ts'

const name = fc.oneof(
  fc.tuple(generatedId, fc.integer({ min: 4, max: 12 })).map(([id, length]) => id.slice(0, length)),
  fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/).filter((label) => faultOfLabel(label) === undefined),
)
const anchor: fc.Arbitrary<Anchor> = fc.oneof(
  fc.constantFrom<Anchor>({ kind: 'head' }, { kind: 'heads' }, { kind: 'base' }),
  name.map((text): Anchor => ({ kind: 'name', name: text })),
)
const steps = fc.maxSafeInteger().filter((number) => number !== 0)
/** All that the grammar allows behind a database and a branch. */
const place: fc.Arbitrary<Target> = fc.oneof(
  steps.map((number) => ({ steps: number })),
  anchor.map((at) => ({ anchor: at, steps: 0 })),
  fc
    .tuple(anchor, steps)
    .filter(([at]) => at.kind !== 'heads')
    .map(([at, number]) => {
      const direction = at.kind === 'head' ? -1 : at.kind === 'base' ? 1 : Math.sign(number)
      return { anchor: at, steps: direction * Math.abs(number) }
    }),
)
const point = fc
  .tuple(place, fc.option(name, { nil: undefined }))
  .map(([at, branch]): Target => ({ ...at, ...(branch !== undefined && { branch }) }))
const database = fc.option(fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/), { nil: undefined })
const target = fc
  .tuple(point, database)
  .map(([at, where]): Target => ({ ...at, ...(where !== undefined && { database: where }) }))
const end = fc.option(point, { nil: undefined })
const range = fc.tuple(end, end, database).map(([from, to, where]): Range => ({
  ...(from && { from }),
  ...(to && { to }),
  ...(where !== undefined && { database: where }),
}))

/** Words and signs of the grammar in any order, and anything else. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('+', '-', '/', '0', '1', 'a', 'b', 'd', 'e', 'h', 's', '@', ':', '.', ' ', '🐘') }),
  fc
    .array(fc.constantFrom('head', 'heads', 'base', 'main', 'billing', '3f9c', '@', '+', '-', '1', '07', '/', ':', ''))
    .map((words) => words.join('')),
)

describe('parseTarget', () => {
  it('reads every target that formatTarget writes', () => {
    fc.assert(
      fc.property(target, (written) => {
        expect(parseTarget(formatTarget(written))).toEqual({ ok: true, target: written })
      }),
    )
  })

  it('answers every text, and says where in it the first fault is', () => {
    fc.assert(
      fc.property(text, (typed) => {
        const result = parseTarget(typed)

        expect(result.ok ? parseTarget(formatTarget(result.target)) : result).toEqual(result)
        if (!result.ok) expectPosition('target', typed, result.problem.message)
      }),
    )
  })
})

describe('parseRange', () => {
  it('reads every range that formatRange writes', () => {
    fc.assert(
      fc.property(range, (written) => {
        expect(parseRange(formatRange(written))).toEqual({ ok: true, range: written })
      }),
    )
  })

  it('answers every text, and says where in it the first fault is', () => {
    fc.assert(
      fc.property(text, (typed) => {
        const result = parseRange(typed)

        expect(result.ok ? parseRange(formatRange(result.range)) : result).toEqual(result)
        if (!result.ok) expectPosition('range', typed, result.problem.message)
      }),
    )
  })

  it('never takes what is a target, nor a target what is a range', () => {
    fc.assert(
      fc.property(text, (typed) => {
        expect(parseTarget(typed).ok && parseRange(typed).ok).toBe(false)
      }),
    )
  })
})

describe('faultOfLabel', () => {
  it('lets exactly those labels pass that a target can name', () => {
    fc.assert(
      fc.property(fc.oneof(text, name), (label) => {
        const asTyped = { ok: true, target: { anchor: { kind: 'name', name: label }, steps: 0 } }

        if (faultOfLabel(label) === undefined) {
          expect(parseTarget(label)).toEqual(asTyped)
          expect(parseTarget(`${label}@head`)).toMatchObject({ ok: true, target: { branch: label } })
        }
      }),
    )
  })
})

function expectPosition(what: string, typed: string, message: string): void {
  if (typed === '') {
    expect(message).toBe(`the ${what} is empty`)
    return
  }
  const told = message.slice(`${what} "${typed}"`.length)
  expect(message.startsWith(`${what} "${typed}"`)).toBe(true)
  if (told.startsWith(' ends too early: ')) return
  const position = Number(/^, character (\d+): /.exec(told)?.[1])
  expect(position).toBeGreaterThanOrEqual(1)
  expect(position).toBeLessThanOrEqual(typed.length)
}
