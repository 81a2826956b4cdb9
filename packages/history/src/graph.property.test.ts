import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleHistory } from './example-history.ts'
import { generatedId, generatedRevisions, generatedState, shuffled } from './generated-history.ts'
import { ancestorsOf, buildHistory, comesAfter, currentOf, descendantsOf } from './graph.ts'
import type { Revision } from './revision.ts'

describe('buildHistory', () => {
  it('puts every revision behind all that it comes after, and loses none', () => {
    fc.assert(
      fc.property(generatedRevisions(), (revisions) => {
        const seen = new Set<string>()
        for (const revision of exampleHistory(revisions).revisions) {
          expect(comesAfter(revision).filter((id) => !seen.has(id))).toEqual([])
          seen.add(revision.id)
        }
        expect(seen).toEqual(new Set(revisions.map((revision) => revision.id)))
      }),
    )
  })

  it('does not depend on the order in which files are read', () => {
    fc.assert(
      fc.property(withShuffled(generatedRevisions()), ([revisions, others]) => {
        expect(buildHistory(others)).toEqual(buildHistory(revisions))
      }),
    )
  })

  it('does not depend on the order in which files are read when it finds problems either', () => {
    fc.assert(
      fc.property(withShuffled(brokenRevisions), ([revisions, others]) => {
        expect(buildHistory(others)).toEqual(buildHistory(revisions))
      }),
    )
  })

  it('has at least one base and one head, and all is reached from either', () => {
    fc.assert(
      fc.property(generatedRevisions(), (revisions) => {
        const history = exampleHistory(revisions)
        const all = new Set(revisions.map((revision) => revision.id))

        expect(ancestorsOf(history, idsOf(history.heads))).toEqual(all)
        expect(descendantsOf(history, idsOf(history.bases))).toEqual(all)
      }),
    )
  })
})

describe('ancestorsOf and descendantsOf', () => {
  it('are the same relation, seen from both ends', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, chosen }) => {
        const ancestors = ancestorsOf(history, [chosen.id])
        for (const { id } of history.revisions) {
          expect(descendantsOf(history, [id]).has(chosen.id)).toBe(ancestors.has(id))
        }
      }),
    )
  })
})

describe('currentOf', () => {
  it('says of a closed set all that is needed to make it again', () => {
    fc.assert(
      fc.property(generatedState(), ({ history, applied }) => {
        expect(ancestorsOf(history, currentOf(history, applied))).toEqual(applied)
      }),
    )
  })

  it('gives members only, none of which comes after another, even of a set with gaps', () => {
    fc.assert(
      fc.property(generatedState(), fc.func(fc.boolean()), ({ history, applied }, keeps) => {
        const gappy = new Set([...applied].filter((id) => keeps(id)))
        const current = currentOf(history, gappy)

        for (const id of current) {
          expect(gappy).toContain(id)
          const above = descendantsOf(history, [id])
          expect([...gappy].filter((other) => other !== id && above.has(other))).toEqual([])
        }
        expect(new Set([...gappy].filter((id) => ancestorsOf(history, current).has(id)))).toEqual(gappy)
      }),
    )
  })
})

/** Revisions with ids used twice, parents that do not exist, or circles. */
const brokenRevisions = fc
  .tuple(generatedRevisions(), fc.constantFrom('duplicate', 'missing', 'circle'), fc.nat(), fc.nat(), generatedId)
  .map(([revisions, fault, first, second, unknown]): readonly Revision[] => {
    const one = revisions[first % revisions.length]!
    const other = revisions[second % revisions.length]!
    if (fault === 'duplicate') return [...revisions, { ...other, folder: `${other.folder}_copy`, message: 'a copy' }]
    const parent = fault === 'missing' ? unknown : other.id
    return revisions.map((revision) => (revision === one ? { ...one, parents: [...one.parents, parent] } : revision))
  })

function withShuffled(
  revisions: fc.Arbitrary<readonly Revision[]>,
): fc.Arbitrary<readonly [readonly Revision[], readonly Revision[]]> {
  return revisions.chain((list) => fc.tuple(fc.constant(list), shuffled(list)))
}

function idsOf(revisions: readonly Revision[]): readonly string[] {
  return revisions.map((revision) => revision.id)
}
