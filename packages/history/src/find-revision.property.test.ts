import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { findRevision } from './find-revision.ts'

/** Ids of two letters, so that many begin alike. */
const ids = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 8 }), {
  minLength: 1,
  maxLength: 30,
})

describe('findRevision', () => {
  it('tells one, several and none apart for every beginning', () => {
    fc.assert(
      fc.property(ids, fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 8 }), (all, prefix) => {
        const matching = all.filter((id) => id.startsWith(prefix))
        const result = findRevision(exampleHistory(all.map((id) => exampleRevision(id))), prefix)

        const [only, another] = matching
        const failure = only === undefined ? 'REVISION_UNKNOWN' : 'REVISION_AMBIGUOUS'
        expect(result.ok ? result.revision.id : result.problem.code).toBe(
          another === undefined ? (only ?? failure) : failure,
        )
        const told = result.ok ? [result.revision.id] : matching.filter((id) => result.problem.message.includes(id))
        expect(told).toEqual(matching)
      }),
    )
  })
})
