import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { by, to } from './example-target.ts'
import { resolveRange } from './range.ts'

const diamond = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['a']),
  exampleRevision('d', ['b', 'c']),
])

describe('resolveRange', () => {
  it('gives whole revisions: what lies between, what is needed, and what is undone', () => {
    const range = { from: to('b'), to: to('d') }

    expect(resolveRange(diamond, range, 'show')).toEqual({ ok: true, revisions: ['b', 'd'].map(revision) })
    expect(resolveRange(diamond, range, 'up')).toEqual({ ok: true, revisions: ['c', 'd'].map(revision) })
    expect(resolveRange(diamond, { from: to('d'), to: to('a') }, 'down')).toEqual({
      ok: true,
      revisions: ['d', 'c', 'b'].map(revision),
    })
  })

  it('refuses ends in different arms, and names both', () => {
    expect(resolveRange(diamond, { from: to('b'), to: to('c'), database: 'main' }, 'show')).toMatchObject({
      ok: false,
      problem: { code: 'RANGE_UNRELATED', message: '"main/b:c": b "make b" is not below c "make c"' },
    })
  })

  it('says that a range is the wrong way round, and how to turn it', () => {
    expect(resolveRange(diamond, { from: to('d'), to: to('b') }, 'up')).toMatchObject({
      ok: false,
      problem: { message: '"d:b" is the wrong way round: start at the lower end', hint: 'turn it round: b:d' },
    })
    expect(resolveRange(diamond, { from: to('b'), to: to('d') }, 'down')).toMatchObject({
      ok: false,
      problem: {
        message: '"b:d" is the wrong way round: start at the upper end to go down',
        hint: 'turn it round: d:b',
      },
    })
  })

  it('refuses two walks without a place to start from', () => {
    expect(resolveRange(diamond, { from: by(-1), to: by(1) }, 'show')).toMatchObject({
      ok: false,
      problem: { code: 'TARGET_INVALID', message: '"-1:+1" has no end to start from' },
    })
  })
})

function revision(id: string): unknown {
  return diamond.byId.get(id)
}
