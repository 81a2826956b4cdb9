import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleHistory } from './example-history.ts'
import { difference, run, standingOn, stepsOf, union } from './example-run.ts'
import { base, by, heads, to } from './example-target.ts'
import { type GeneratedState, generatedRevisions, generatedState, shuffled } from './generated-history.ts'
import { ancestorsOf, currentOf, descendantsOf } from './graph.ts'
import { findGaps, planDowngrade, planUpgrade, remainingSteps } from './plan.ts'
import type { Target } from './target.ts'

const linear = fc.constant('linear' as const)

describe('an upgrade', () => {
  it('never runs a revision before its parents and dependencies, nor one that is applied', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        // `run` looks at every step on its way.
        const reached = run(history, applied, planUpgrade(history, applied, to(chosen.id)))

        expect(reached).toEqual(union(applied, ancestorsOf(history, [chosen.id])))
      }),
    )
  })

  it('to all heads applies everything, once', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied }) => {
        const reached = run(history, applied, planUpgrade(history, applied, heads))

        expect(reached).toEqual(new Set(history.byId.keys()))
      }),
    )
  })

  it('by a number of steps applies as many, or none when it cannot', () => {
    fc.assert(
      fc.property(generatedState(), fc.integer({ min: 1, max: 5 }), ({ history, applied }, steps) => {
        const open = history.revisions.length - applied.size
        const plan = planUpgrade(history, applied, by(steps))

        expect([steps <= open ? steps : 'WALK_TOO_FAR', open === 0 ? 0 : 'WALK_AMBIGUOUS']).toContain(
          plan.kind === 'steps' ? plan.steps.length : plan.problems[0]!.code,
        )
      }),
    )
  })

  it('by some steps and then by some more comes to where it comes by all at once', () => {
    const few = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(generatedState(), few, few, ({ history, applied }, first, second) => {
        const all = planUpgrade(history, applied, by(first + second))
        fc.pre(all.kind === 'steps' && all.steps.length === first + second)
        const halfway = run(history, applied, planUpgrade(history, applied, by(first)))

        expect(run(history, halfway, planUpgrade(history, halfway, by(second)))).toEqual(run(history, applied, all))
      }),
    )
  })

  it('has nothing left to do after a run', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        const reached = run(history, applied, planUpgrade(history, applied, to(chosen.id)))

        expect(stepsOf(planUpgrade(history, reached, to(chosen.id)))).toEqual([])
      }),
    )
  })

  it('comes to the same end by way of any revision', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        const halfway = run(history, applied, planUpgrade(history, applied, to(chosen.id)))

        expect(run(history, halfway, planUpgrade(history, halfway, heads))).toEqual(new Set(history.byId.keys()))
      }),
    )
  })

  it('is refused exactly where an applied revision lacks something below it', () => {
    fc.assert(
      fc.property(generatedState(), fc.func(fc.boolean()), ({ history, applied }, keeps) => {
        const gappy = new Set([...applied].filter((id) => keeps(id)))
        const missing = [...ancestorsOf(history, gappy)].filter((id) => !gappy.has(id))
        const plan = planUpgrade(history, gappy, heads)

        expect(plan.kind).toBe(missing.length > 0 ? 'refused' : 'steps')
        const gaps = findGaps(history, gappy)
        expect(new Set(gaps.map((gap) => gap.revision))).toEqual(new Set(missing))
        // The revision that a message calls applied is, and it does come after the gap.
        for (const gap of gaps) {
          const [, later] = /although (\w+) /.exec(gap.message)!
          expect(gappy).toContain(later)
          expect(descendantsOf(history, [gap.revision!])).toContain(later)
        }
      }),
    )
  })
})

describe('a downgrade', () => {
  it('never reverts a revision below one that is applied, and leaves a closed set', () => {
    fc.assert(
      fc.property(generatedState(), withTarget, (state, pick) => {
        const { history, applied } = state
        // `run` looks at every step on its way.
        const plan = planDowngrade(history, applied, pick(state))
        const left = plan.kind === 'refused' ? applied : run(history, applied, plan)

        expect(ancestorsOf(history, left)).toEqual(left)
        expect(difference(left, applied)).toEqual(new Set())
      }),
    )
  })

  it('by a number of steps reverts as many, or none when it cannot', () => {
    fc.assert(
      fc.property(generatedState(), fc.integer({ min: 1, max: 5 }), ({ history, applied }, steps) => {
        const plan = planDowngrade(history, applied, by(-steps))

        expect([steps <= applied.size ? steps : 'WALK_TOO_FAR', applied.size === 0 ? 0 : 'WALK_AMBIGUOUS']).toContain(
          plan.kind === 'steps' ? plan.steps.length : plan.problems[0]!.code,
        )
      }),
    )
  })

  it('to a revision keeps it, and reverts what descends from it, what depends on that, and nothing else', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied, chosen }) => {
        const everything = union(applied, ancestorsOf(history, [chosen.id]))
        const left = run(history, everything, planDowngrade(history, everything, to(chosen.id)))

        expect(left).toEqual(difference(everything, standingOn(history, chosen.id)))
        expect(stepsOf(planDowngrade(history, left, to(chosen.id)))).toEqual([])
      }),
    )
  })

  it('to the base leaves nothing, whatever was applied', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied }) => {
        const left = run(history, applied, planDowngrade(history, applied, base))

        expect(left).toEqual(new Set())
        expect(stepsOf(planDowngrade(history, left, base))).toEqual([])
      }),
    )
  })

  it('is refused exactly where it would revert what cannot be reverted, and names all of it', () => {
    fc.assert(
      fc.property(generatedState(), fc.func(fc.boolean()), ({ history, applied }, isReversible) => {
        const revisions = history.revisions.map((revision) => ({ ...revision, reversible: isReversible(revision.id) }))
        const stuck = revisions.filter((revision) => applied.has(revision.id) && !revision.reversible)
        const plan = planDowngrade(exampleHistory(revisions), applied, base)

        const named = plan.kind === 'refused' ? plan.problems.map((problem) => problem.revision) : []
        expect(named).toEqual(stuck.map((revision) => revision.id))
      }),
    )
  })
})

describe('up and down again', () => {
  it('is the identity from an empty database to any revision and back to the base', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, chosen }) => {
        const reached = run(history, new Set(), planUpgrade(history, new Set(), to(chosen.id)))

        expect(run(history, reached, planDowngrade(history, reached, base))).toEqual(new Set())
      }),
    )
  })

  it('is the identity from any revision of a line to any later one and back', () => {
    fc.assert(
      fc.property(generatedState(linear), ({ history, applied, chosen }) => {
        const reached = run(history, applied, planUpgrade(history, applied, to(chosen.id)))
        const [start] = currentOf(history, applied)
        const back = planDowngrade(history, reached, start === undefined ? base : to(start))

        expect(run(history, reached, back)).toEqual(applied)
      }),
    )
  })

  it('is the identity in any graph, but for other arms that the way up brought in', () => {
    fc.assert(
      fc.property(generatedState(), fc.nat(), ({ history, chosen }, number) => {
        const start = ancestorsOf(history, [chosen.id])
        const later = [chosen.id, ...standingOn(history, chosen.id)]
        const reached = run(history, start, planUpgrade(history, start, to(later[number % later.length]!)))
        const left = run(history, reached, planDowngrade(history, reached, to(chosen.id)))

        const broughtIn = difference(difference(reached, start), standingOn(history, chosen.id))
        expect(left).toEqual(union(start, broughtIn))
      }),
    )
  })

  it('is the identity for as many steps down as up, unless the way down forks', () => {
    fc.assert(
      fc.property(generatedState(), fc.integer({ min: 1, max: 5 }), ({ history, applied }, steps) => {
        fc.pre(applied.size < history.revisions.length)
        const upwards = planUpgrade(history, applied, by(steps))
        fc.pre(upwards.kind === 'steps')
        const reached = run(history, applied, upwards)
        const back = planDowngrade(history, reached, by(-steps))

        expect(reached.size).toBe(applied.size + steps)
        expect([applied, ['WALK_AMBIGUOUS']]).toContainEqual(
          back.kind === 'steps' ? run(history, reached, back) : back.problems.map((problem) => problem.code),
        )
      }),
    )
  })

  it('never forks on a line', () => {
    fc.assert(
      fc.property(generatedState(linear), fc.nat(), ({ history, applied }, number) => {
        const open = history.revisions.length - applied.size
        fc.pre(open > 0)
        const steps = (number % open) + 1
        const reached = run(history, applied, planUpgrade(history, applied, by(steps)))

        expect(reached.size).toBe(applied.size + steps)
        expect(run(history, reached, planDowngrade(history, reached, by(-steps)))).toEqual(applied)
      }),
    )
  })
})

describe('any plan', () => {
  it('does not depend on the order in which files are read', () => {
    const twice = generatedRevisions().chain((revisions) => fc.tuple(fc.constant(revisions), shuffled(revisions)))
    fc.assert(
      fc.property(twice, fc.nat(), fc.nat(), ([revisions, others], from, goal) => {
        const at = (number: number): string => revisions[number % revisions.length]!.id
        const [one, other] = [exampleHistory(revisions), exampleHistory(others)]
        const applied = ancestorsOf(one, [at(from)])

        expect(planUpgrade(other, applied, to(at(goal)))).toEqual(planUpgrade(one, applied, to(at(goal))))
        expect(planDowngrade(other, applied, to(at(goal)))).toEqual(planDowngrade(one, applied, to(at(goal))))
        expect(planDowngrade(other, applied, base)).toEqual(planDowngrade(one, applied, base))
      }),
    )
  })
})

describe('remainingSteps', () => {
  it('is the rest of a plan after any part of it was run by somebody else', () => {
    fc.assert(
      fc.property(generatedState(), fc.boolean(), fc.nat(), ({ history, applied }, upwards, number) => {
        const steps = stepsOf(upwards ? planUpgrade(history, applied, heads) : planDowngrade(history, applied, base))
        const done = number % (steps.length + 1)
        const reached = run(history, applied, { kind: 'steps', steps: steps.slice(0, done) })

        expect(remainingSteps(history, steps, reached)).toEqual({ kind: 'steps', steps: steps.slice(done) })
      }),
    )
  })

  it('can be run from wherever the database is, or says that it has moved', () => {
    fc.assert(
      fc.property(generatedState(), fc.array(fc.nat()), fc.boolean(), ({ history, applied }, elsewhere, upwards) => {
        const steps = stepsOf(upwards ? planUpgrade(history, applied, heads) : planDowngrade(history, applied, base))
        const now = ancestorsOf(
          history,
          elsewhere.map((number) => history.revisions[number % history.revisions.length]!.id),
        )
        const rest = remainingSteps(history, steps, now)

        // `run` looks at every step on its way.
        if (rest.kind === 'steps') run(history, now, rest)
        expect(steps).toEqual(expect.arrayContaining(rest.kind === 'steps' ? [...rest.steps] : [rest.step]))
      }),
    )
  })
})

/** A target of every kind that a downgrade takes, from what a state offers. */
const withTarget: fc.Arbitrary<(state: GeneratedState) => Target> = fc.oneof(
  fc.constantFrom<(state: GeneratedState) => Target>(
    () => base,
    () => heads,
    ({ chosen }) => to(chosen.id),
  ),
  fc.integer({ min: 1, max: 20 }).map((steps) => (): Target => by(-steps)),
)
