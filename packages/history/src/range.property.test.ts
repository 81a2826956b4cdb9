import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { stepsOf } from './example-run.ts'
import { heads, to } from './example-target.ts'
import { generatedState } from './generated-history.ts'
import { ancestorsOf } from './graph.ts'
import { planDowngrade, planUpgrade } from './plan.ts'
import { type RangeResolution, resolveRange } from './range.ts'
import type { Revision } from './revision.ts'

describe('a range', () => {
  it('scripts up what a database at its lower end would run', () => {
    fc.assert(
      fc.property(related, ({ history, lower, upper }) => {
        const plan = planUpgrade(history, ancestorsOf(history, [lower]), to(upper))

        expect(revisionsOf(resolveRange(history, { from: to(lower), to: to(upper) }, 'up'))).toEqual(
          stepsOf(plan).map((step) => step.revision),
        )
      }),
    )
  })

  it('scripts down what a database at its upper end would revert', () => {
    fc.assert(
      fc.property(related, ({ history, lower, upper }) => {
        const plan = planDowngrade(history, ancestorsOf(history, [upper]), to(lower))

        expect(revisionsOf(resolveRange(history, { from: to(upper), to: to(lower) }, 'down'))).toEqual(
          stepsOf(plan).map((step) => step.revision),
        )
      }),
    )
  })

  it('shows both of its ends, and of a whole history everything', () => {
    fc.assert(
      fc.property(related, ({ history, lower, upper }) => {
        const shown = revisionsOf(resolveRange(history, { from: to(lower), to: to(upper) }, 'show'))

        expect(shown.at(0)?.id).toBe(lower)
        expect(shown.at(-1)?.id).toBe(upper)
        expect(revisionsOf(resolveRange(history, {}, 'show'))).toEqual(history.revisions)
        expect(revisionsOf(resolveRange(history, { to: heads }, 'up'))).toEqual(history.revisions)
        expect(revisionsOf(resolveRange(history, {}, 'down'))).toEqual(history.revisions.toReversed())
      }),
    )
  })

  it('is refused exactly where its ends are not one below the other', () => {
    fc.assert(
      fc.property(generatedState(), fc.nat(), ({ history, chosen }, number) => {
        const other = history.revisions[number % history.revisions.length]!
        const range = { from: to(other.id), to: to(chosen.id) }
        const isBelow = ancestorsOf(history, [chosen.id]).has(other.id)

        for (const use of ['show', 'up'] as const) expect(resolveRange(history, range, use).ok).toBe(isBelow)
      }),
    )
  })
})

/** Two revisions of which one comes after the other, or which are the same. */
const related = fc.tuple(generatedState(), fc.nat()).map(([{ history, chosen }, number]) => {
  const below = [...ancestorsOf(history, [chosen.id])]
  return { history, upper: chosen.id, lower: below[number % below.length]! }
})

function revisionsOf(result: RangeResolution): readonly Revision[] {
  if (!result.ok) throw new Error(result.problem.message)
  return result.revisions
}
