import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import type { History } from './graph.ts'
import { findRevision, resolveTarget, severalHeads } from './resolve.ts'

describe('findRevision', () => {
  const history = exampleHistory([
    exampleRevision('3f9c1a7be204'),
    exampleRevision('3f9c2b000000'),
    exampleRevision('77aa00000000'),
  ])

  it('finds a revision by its id, and by a beginning that no other has', () => {
    expect(findRevision(history, '3f9c1a7be204')).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
    expect(findRevision(history, '3f9c1')).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
    expect(findRevision(history, '77aa')).toMatchObject({ ok: true, revision: { id: '77aa00000000' } })
  })

  it('prefers a whole id to longer ones that begin with it', () => {
    const nested = exampleHistory([exampleRevision('abcd'), exampleRevision('abcdef')])

    expect(findRevision(nested, 'abcd')).toMatchObject({ ok: true, revision: { id: 'abcd' } })
  })

  it('lists the candidates of an ambiguous beginning', () => {
    const result = findRevision(history, '3f9c')

    expect(result).toMatchObject({
      ok: false,
      problem: { code: 'REVISION_AMBIGUOUS', hint: expect.stringContaining('more characters') },
    })
    expect(result.ok || result.problem.message).toContain(
      '"3f9c" could be any of 3f9c1a7be204 "make 3f9c1a7be204", 3f9c2b000000',
    )
  })

  it('says that no revision begins like that, and where to see them', () => {
    expect(findRevision(history, '0000')).toMatchObject({
      ok: false,
      problem: {
        code: 'REVISION_UNKNOWN',
        message: expect.stringContaining('"0000"'),
        hint: expect.stringContaining('pnpm migrate history'),
      },
    })
  })

  it('does not find a part of an id that is not its beginning', () => {
    expect(findRevision(history, '9c1a')).toMatchObject({ ok: false, problem: { code: 'REVISION_UNKNOWN' } })
  })
})

describe('resolveTarget', () => {
  const line = exampleHistory([exampleRevision('a'), exampleRevision('b', ['a']), exampleRevision('c', ['b'])])
  const fork = exampleHistory([exampleRevision('a'), exampleRevision('b', ['a']), exampleRevision('c', ['a'])])
  const diamond = exampleHistory([
    exampleRevision('a'),
    exampleRevision('b', ['a']),
    exampleRevision('c', ['a']),
    exampleRevision('d', ['b', 'c']),
  ])

  it('takes base as nothing at all', () => {
    expect(resolveTarget(line, { kind: 'base' }, new Set(['a']))).toEqual({ ok: true, ids: [] })
  })

  it('takes head as the one head, and as nothing in an empty history', () => {
    expect(resolveTarget(line, { kind: 'head' }, new Set())).toEqual({ ok: true, ids: ['c'] })
    expect(resolveTarget(exampleHistory([]), { kind: 'head' }, new Set())).toEqual({ ok: true, ids: [] })
  })

  it('refuses head where there are several, and lists them', () => {
    expect(resolveTarget(fork, { kind: 'head' }, new Set())).toEqual({ ok: false, problem: severalHeads(fork) })
    expect(severalHeads(fork)).toMatchObject({
      code: 'SEVERAL_HEADS',
      message: 'the history has 2 heads: b "make b", c "make c"',
      hint: expect.stringContaining('"heads"'),
    })
  })

  it('takes heads as all of them', () => {
    expect(resolveTarget(fork, { kind: 'heads' }, new Set())).toEqual({ ok: true, ids: ['b', 'c'] })
  })

  it('takes an id as its revision, or gives the problem of finding it', () => {
    expect(resolveTarget(line, { kind: 'revision', prefix: 'b' }, new Set())).toEqual({ ok: true, ids: ['b'] })
    expect(resolveTarget(line, { kind: 'revision', prefix: 'ffff' }, new Set())).toMatchObject({
      ok: false,
      problem: { code: 'REVISION_UNKNOWN' },
    })
  })

  describe('walking up', () => {
    it('goes from what is applied, a revision at a time', () => {
      expect(walk(line, 1, [])).toEqual({ ok: true, ids: ['a'] })
      expect(walk(line, 2, ['a'])).toEqual({ ok: true, ids: ['c'] })
    })

    it('stays at the end, however far it is told to go', () => {
      expect(walk(line, 1, ['a', 'b', 'c'])).toEqual({ ok: true, ids: ['c'] })
      expect(walk(line, 5, ['a', 'b', 'c'])).toEqual({ ok: true, ids: ['c'] })
      expect(walk(exampleHistory([]), 1, [])).toEqual({ ok: true, ids: [] })
    })

    it('refuses to go further than the history, and says how far it can', () => {
      expect(walk(line, 3, ['a'])).toMatchObject({
        ok: false,
        problem: {
          code: 'WALK_TOO_FAR',
          message: '"+3" walks too far: there are only 2 revisions to apply',
          hint: expect.stringContaining('+2'),
        },
      })
      expect(walk(line, 2, ['a', 'b'])).toMatchObject({
        ok: false,
        problem: { code: 'WALK_TOO_FAR', message: '"+2" walks too far: there is only 1 revision to apply' },
      })
    })

    it('refuses a fork, and lists the ways', () => {
      expect(walk(fork, 1, ['a'])).toMatchObject({
        ok: false,
        problem: { code: 'WALK_AMBIGUOUS', message: expect.stringContaining('b "make b", c "make c"') },
      })
      expect(walk(fork, 2, [])).toMatchObject({ ok: false, problem: { code: 'WALK_AMBIGUOUS' } })
    })

    it('takes the one arm that is left of a fork', () => {
      expect(walk(fork, 1, ['a', 'b'])).toEqual({ ok: true, ids: ['b', 'c'] })
    })

    it('waits with a merge, and with what depends on another arm, until all of it can be', () => {
      expect(walk(diamond, 2, ['a', 'b'])).toEqual({ ok: true, ids: ['d'] })
      const depending = exampleHistory([exampleRevision('a', [], { dependsOn: ['z'] }), exampleRevision('z')])
      expect(walk(depending, 1, [])).toEqual({ ok: true, ids: ['z'] })
    })
  })

  describe('walking down', () => {
    it('goes from what is applied, a revision at a time', () => {
      expect(walk(line, -1, ['a', 'b', 'c'])).toEqual({ ok: true, ids: ['b'] })
      expect(walk(line, -2, ['a', 'b'])).toEqual({ ok: true, ids: [] })
    })

    it('stays at the base, however far it is told to go', () => {
      expect(walk(line, -1, [])).toEqual({ ok: true, ids: [] })
      expect(walk(line, -9, [])).toEqual({ ok: true, ids: [] })
    })

    it('refuses to go below the base, and says how far it can go', () => {
      expect(walk(line, -3, ['a', 'b'])).toMatchObject({
        ok: false,
        problem: {
          code: 'WALK_TOO_FAR',
          message: '"-3" walks too far: there are only 2 revisions to revert',
          hint: expect.stringContaining('-2'),
        },
      })
      expect(walk(line, -2, ['a'])).toMatchObject({
        ok: false,
        problem: { code: 'WALK_TOO_FAR', message: '"-2" walks too far: there is only 1 revision to revert' },
      })
    })

    it('undoes a merge, and refuses to choose an arm after it', () => {
      expect(walk(diamond, -1, ['a', 'b', 'c', 'd'])).toEqual({ ok: true, ids: ['b', 'c'] })
      expect(walk(diamond, -2, ['a', 'b', 'c', 'd'])).toMatchObject({
        ok: false,
        problem: { code: 'WALK_AMBIGUOUS', message: '"-2" could go more than one way: b "make b", c "make c"' },
      })
    })
  })
})

function walk(history: History, steps: number, applied: readonly string[]): ReturnType<typeof resolveTarget> {
  return resolveTarget(history, { kind: 'steps', steps }, new Set(applied))
}
