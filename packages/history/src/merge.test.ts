import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { checkMerge, type MergeCheck } from './merge.ts'

/** `a`, then the arms `b` and `c`; `x` depends on `b`, `y` comes after `x`. */
const history = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a'], { labels: ['left'] }),
  exampleRevision('c', ['a']),
  exampleRevision('x', [], { dependsOn: ['b'] }),
  exampleRevision('y', ['x']),
])

describe('checkMerge', () => {
  it('gives the parents in run order', () => {
    expect(check('y', 'c')).toEqual({ ok: true, parents: ['c', 'y'] })
    expect(check('c', 'x', 'y')).toMatchObject({ ok: false })
  })

  it('refuses a revision and what it descends from, and says which is which', () => {
    expect(check('a', 'c')).toEqual({
      ok: false,
      problems: [
        {
          code: 'REVISIONS_RELATED',
          revision: 'a',
          message: 'cannot merge revisions of which one comes after another: c "make c" descends from a "make a"',
          hint: 'leave out a: it is merged with c',
        },
      ],
    })
  })

  it('lets a revision be merged with what it depends on: both are heads', () => {
    expect(check('y', 'b', 'c')).toEqual({ ok: true, parents: ['b', 'c', 'y'] })
  })

  it('refuses fewer than two, and lists the heads', () => {
    expect(check('b')).toMatchObject({
      problems: [
        {
          code: 'USAGE',
          message: 'a merge needs two revisions or more, and only b "make b" is given',
          hint: 'the heads are: b "make b" (left), c "make c", y "make y"',
        },
      ],
    })
    expect(check()).toMatchObject({ problems: [{ message: expect.stringContaining('none is given') }] })
    const line = exampleHistory([exampleRevision('a'), exampleRevision('b', ['a'])])
    expect(checkMerge(line, line.heads)).toMatchObject({
      problems: [{ hint: expect.stringContaining('no second head') }],
    })
  })

  it('refuses one that is named twice', () => {
    expect(check('b', 'c', 'b')).toMatchObject({
      problems: [{ code: 'USAGE', message: 'b "make b" is named more than once' }],
    })
  })
})

function check(...ids: readonly string[]): MergeCheck {
  return checkMerge(
    history,
    ids.map((id) => history.byId.get(id)!),
  )
}
