import * as fc from 'fast-check'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { ancestorsOf, type History } from './graph.ts'
import type { Revision } from './revision.ts'

/**
 * How generated revisions hang together: one line; several arms; arms that join again; arms that depend on each other;
 * everything at once.
 */
export type Shape = 'linear' | 'branching' | 'merging' | 'depending' | 'tangled'

/** A history, what is applied of it (closed: nothing is applied without what it comes after), and one of its revisions. */
export interface GeneratedState {
  readonly history: History
  readonly applied: ReadonlySet<string>
  readonly chosen: Revision
}

/** A full revision id. */
export const generatedId = fc.string({
  unit: fc.constantFrom(...Array.from({ length: 16 }, (_, digit) => digit.toString(16))),
  minLength: 12,
  maxLength: 12,
})

const generatedShape = fc.constantFrom<Shape>('linear', 'branching', 'merging', 'depending', 'tangled')

/** 1 to 60 revisions that make a valid history, in any order. Creation times agree with the graph only by chance. */
export function generatedRevisions(shapes: fc.Arbitrary<Shape> = generatedShape): fc.Arbitrary<readonly Revision[]> {
  return fc
    .tuple(shapes, fc.uniqueArray(seed, { selector: (node) => node.id, minLength: 1, maxLength: 60, size: 'max' }))
    .map(([shape, seeds]) => seeds.map((_, index) => grow(shape, seeds, index)))
    .chain((revisions) => shuffled(revisions))
}

/** The same revisions in another order. */
export function shuffled(revisions: readonly Revision[]): fc.Arbitrary<readonly Revision[]> {
  return fc.shuffledSubarray([...revisions], { minLength: revisions.length })
}

/** A history with a state that it can be in. */
export function generatedState(shapes?: fc.Arbitrary<Shape>): fc.Arbitrary<GeneratedState> {
  return fc
    .tuple(generatedRevisions(shapes), fc.array(fc.nat(), { maxLength: 4 }), fc.nat())
    .map(([revisions, reached, chosen]) => {
      const history = exampleHistory(revisions)
      const at = (number: number): Revision => history.revisions[number % history.revisions.length]!
      return {
        history,
        applied: ancestorsOf(
          history,
          reached.map((number) => at(number).id),
        ),
        chosen: at(chosen),
      }
    })
}

interface Seed {
  readonly id: string
  readonly minute: number
  /** Each how far back, among the seeds before this one. */
  readonly parents: readonly number[]
  readonly dependsOn: readonly number[]
}

/** Mostly near, so that arms grow long. */
const distance = fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 2 }) }, { weight: 1, arbitrary: fc.nat({ max: 59 }) })
const seed: fc.Arbitrary<Seed> = fc.record({
  id: generatedId,
  minute: fc.nat({ max: 9 }),
  parents: fc.array(distance, { maxLength: 3 }),
  dependsOn: fc.array(distance, { maxLength: 2 }),
})

/** Makes the revision at `index`, which may come after any of those before it. */
function grow(shape: Shape, seeds: readonly Seed[], index: number): Revision {
  const { id, minute, parents, dependsOn } = seeds[index]!
  const earlier = (distances: readonly number[]): readonly string[] =>
    index === 0 ? [] : [...new Set(distances.map((back) => seeds[index - 1 - (back % index)]!.id))]
  const chosen = {
    linear: index === 0 ? [] : [seeds[index - 1]!.id],
    branching: earlier(parents.slice(0, 1)),
    merging: earlier(parents),
    depending: earlier(parents.slice(0, 1)),
    tangled: earlier(parents),
  }
  return exampleRevision(id, chosen[shape], {
    dependsOn: shape === 'depending' || shape === 'tangled' ? earlier(dependsOn) : [],
    created: `2026-11-20T10:0${minute}:00Z`,
  })
}
