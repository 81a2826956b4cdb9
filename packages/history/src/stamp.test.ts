import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { base, by, to } from './example-target.ts'
import { planStamp } from './stamp.ts'

/** `a`, then the arms `b d` and `c`. */
const fork = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['a']),
  exampleRevision('d', ['b']),
])

describe('planStamp', () => {
  it('records what is below the target and forgets what is above it, and leaves other arms', () => {
    expect(planStamp(fork, new Set(), [to('d')])).toEqual({ kind: 'stamp', forget: [], record: ['a', 'b', 'd'] })
    expect(planStamp(fork, new Set(['a', 'b', 'c', 'd']), [to('b')])).toEqual({
      kind: 'stamp',
      forget: ['d'],
      record: [],
    })
  })

  it('forgets everything first when it purges, what it records again included', () => {
    expect(planStamp(fork, new Set(['a', 'c', 'gone']), [to('b')], { purge: true })).toEqual({
      kind: 'stamp',
      forget: ['gone', 'c', 'a'],
      record: ['a', 'b'],
    })
  })

  it('refuses two targets of which one would forget what the other needs, and says what that is', () => {
    expect(planStamp(fork, new Set(), [to('d'), to('a')])).toEqual({
      kind: 'refused',
      problems: [
        {
          code: 'REVISIONS_RELATED',
          revision: 'b',
          message: 'a database cannot stand at "a" and at "d": b "make b" is above the one, and the other needs it',
          hint: 'leave out "a": "d" includes what is below it',
        },
      ],
    })
    expect(planStamp(fork, new Set(), [base, to('a')])).toMatchObject({
      problems: [{ code: 'REVISIONS_RELATED', hint: 'leave out "base"; --purge forgets everything else' }],
    })
  })

  it('refuses rows that it does not know, and tells how to be rid of them', () => {
    expect(planStamp(fork, new Set(['gone']), [to('a')])).toMatchObject({
      kind: 'refused',
      problems: [{ code: 'APPLIED_UNKNOWN', hint: expect.stringContaining('pnpm migrate stamp --purge') }],
    })
  })

  it('gives every reason at once', () => {
    const plan = planStamp(fork, new Set(['gone']), [to('nowhere'), by(1), to('a'), to('b')])

    expect(plan.kind === 'refused' && plan.problems.map((problem) => problem.code)).toEqual([
      'REVISION_UNKNOWN',
      'TARGET_INVALID',
      'REVISIONS_RELATED',
      'APPLIED_UNKNOWN',
    ])
  })
})
