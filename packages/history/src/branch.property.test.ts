import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { difference, run } from './example-run.ts'
import { base, by, head } from './example-target.ts'
import { generatedState } from './generated-history.ts'
import { descendantsOf, type History } from './graph.ts'
import { type Plan, planDowngrade, planUpgrade } from './plan.ts'
import type { Target } from './target.ts'

describe('a downgrade of a branch', () => {
  it('touches nothing outside of it but what comes after something that goes', () => {
    fc.assert(
      fc.property(generatedState(), narrowed, ({ history, applied, chosen }, target) => {
        const plan = planDowngrade(history, applied, { ...target, branch: chosen.id })
        const left = runIfPlanned(history, applied, plan)

        const undone = [...difference(applied, left)]
        const lineage = lineageOf(history, chosen.id)
        const reasons = undone.filter((id) => lineage.has(id))
        const forced = descendantsOf(history, reasons)
        expect(undone.filter((id) => !forced.has(id))).toEqual([])
      }),
    )
  })

  it('keeps everything below a revision with several children, and below a merge', () => {
    fc.assert(
      fc.property(generatedState(), narrowed, ({ history, applied, chosen }, target) => {
        const plan = planDowngrade(history, applied, { ...target, branch: chosen.id })
        const left = runIfPlanned(history, applied, plan)

        const shared = below(history, chosen.id).filter((id) => childrenIn(history, id) > 1 && applied.has(id))
        expect(shared.filter((id) => !left.has(id) && id !== chosen.id)).toEqual([])
      }),
    )
  })

  it('to its base, and up to its heads again, is the identity on it where all of it was applied', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, chosen }) => {
        const everything = new Set(history.byId.keys())
        const left = run(history, everything, planDowngrade(history, everything, { ...base, branch: chosen.id }))
        const again = run(history, left, planUpgrade(history, left, { ...allHeads, branch: chosen.id }))

        for (const id of lineageOf(history, chosen.id)) expect(again).toContain(id)
        for (const id of descendantsOf(history, [chosen.id])) expect(left).not.toContain(id)
      }),
    )
  })
})

describe('an upgrade of a branch', () => {
  it('applies nothing outside of it but what its revisions come after', () => {
    fc.assert(
      fc.property(generatedState(), fc.constantFrom<Target>(allHeads, head, by(1), by(3)), (state, target) => {
        const { history, applied, chosen } = state
        const plan = planUpgrade(history, applied, { ...target, branch: chosen.id })
        const reached = runIfPlanned(history, applied, plan)

        const gained = [...difference(reached, applied)]
        const lineage = lineageOf(history, chosen.id)
        const reasons = gained.filter((id) => lineage.has(id))
        const stray = gained.filter((id) => {
          const later = descendantsOf(history, [id])
          return !reasons.some((reason) => later.has(reason))
        })
        expect(stray).toEqual([])
      }),
    )
  })
})

const allHeads: Target = { anchor: { kind: 'heads' }, steps: 0 }

/** What stands behind a branch when it goes down. */
const narrowed: fc.Arbitrary<Target> = fc.oneof(
  fc.constantFrom(base, allHeads),
  fc.integer({ min: 1, max: 4 }).map((steps) => by(-steps)),
)

function runIfPlanned(history: History, applied: ReadonlySet<string>, plan: Plan): ReadonlySet<string> {
  return plan.kind === 'refused' ? applied : run(history, applied, plan)
}

/** The revision, all that it descends from and all that descends from it, by parents alone. */
function lineageOf(history: History, id: string): ReadonlySet<string> {
  const above = new Set([id])
  for (const revision of history.revisions) {
    if (revision.parents.some((parent) => above.has(parent))) above.add(revision.id)
  }
  return new Set([...above, ...below(history, id)])
}

function below(history: History, id: string): readonly string[] {
  const found = new Set([id])
  for (const revision of history.revisions.toReversed()) {
    if (found.has(revision.id)) for (const parent of revision.parents) found.add(parent)
  }
  return [...found]
}

function childrenIn(history: History, id: string): number {
  return history.revisions.filter((revision) => revision.parents.includes(id)).length
}
