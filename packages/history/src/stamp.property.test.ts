import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { run } from './example-run.ts'
import { heads, to } from './example-target.ts'
import { generatedState } from './generated-history.ts'
import { ancestorsOf } from './graph.ts'
import { planDowngrade, planUpgrade } from './plan.ts'
import { planStamp, type StampPlan } from './stamp.ts'

describe('a stamp', () => {
  it('leaves the record as an upgrade to the target and a downgrade to it would', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        const above = run(history, applied, planUpgrade(history, applied, to(chosen.id)))
        const there = run(history, above, planDowngrade(history, above, to(chosen.id)))

        expect(record(applied, planStamp(history, applied, [to(chosen.id)]))).toEqual(there)
      }),
    )
  })

  it('leaves the record of a closed set closed, and changes nothing the second time', () => {
    fc.assert(
      fc.property(generatedState(), fc.nat(), ({ history, applied, chosen }, number) => {
        const other = history.revisions[number % history.revisions.length]!
        const targets = [to(chosen.id), to(other.id)]
        const plan = planStamp(history, applied, targets)
        fc.pre(plan.kind === 'stamp')
        const recorded = record(applied, plan)

        expect(ancestorsOf(history, recorded)).toEqual(recorded)
        for (const { id } of [chosen, other]) expect(recorded).toContain(id)
        expect(planStamp(history, recorded, targets)).toEqual({ kind: 'stamp', forget: [], record: [] })
      }),
    )
  })

  it('to all heads records everything, and after a purge nothing but what the target needs', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        const odd = new Set([...applied, 'gone'])
        const purged = planStamp(history, odd, [to(chosen.id)], { purge: true })

        expect(record(applied, planStamp(history, applied, [heads]))).toEqual(new Set(history.byId.keys()))
        expect(record(odd, purged)).toEqual(ancestorsOf(history, [chosen.id]))
      }),
    )
  })
})

/**
 * Changes a record as a database would.
 * @throws {Error} when the stamp is refused, forgets what is not there or records what is
 */
function record(applied: ReadonlySet<string>, plan: StampPlan): ReadonlySet<string> {
  if (plan.kind === 'refused') throw new Error(plan.problems.map((problem) => problem.message).join('\n'))
  const rows = new Set(applied)
  for (const id of plan.forget) if (!rows.delete(id)) throw new Error(`${id} is not there`)
  for (const id of plan.record) {
    if (rows.has(id)) throw new Error(`${id} is there already`)
    rows.add(id)
  }
  return rows
}
