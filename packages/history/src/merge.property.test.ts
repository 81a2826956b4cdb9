import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { lineageBelow } from './branch.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'
import { generatedState } from './generated-history.ts'
import { checkMerge } from './merge.ts'

describe('checkMerge', () => {
  it('lets pass exactly what is apart, and what it lets pass makes one head of its parents', () => {
    fc.assert(
      fc.property(generatedState(), fc.array(fc.nat(), { minLength: 2, maxLength: 4 }), ({ history }, numbers) => {
        const chosen = [...new Set(numbers.map((number) => history.revisions[number % history.revisions.length]!))]
        const isApart = chosen.every((one) =>
          chosen.every((other) => one === other || !lineageBelow(history, one.id).has(other.id)),
        )
        const check = checkMerge(history, chosen)

        expect(check.ok).toBe(isApart && chosen.length > 1)
        if (!check.ok) return
        const merged = exampleHistory([...history.revisions, exampleRevision('merge', check.parents)])
        const heads = merged.heads.map((head) => head.id)
        expect(heads).toContain('merge')
        expect(heads.filter((id) => check.parents.includes(id))).toEqual([])
        const order = history.revisions.map((revision) => revision.id).filter((id) => check.parents.includes(id))
        expect(check.parents).toEqual(order)
      }),
    )
  })
})
