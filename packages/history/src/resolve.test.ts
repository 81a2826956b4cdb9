import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { base, by, head, heads, to } from './example-target.ts'
import type { History } from './graph.ts'
import { resolveDowngrade, resolvePlace, resolveUpgrade, severalHeads } from './resolve.ts'
import type { Resolution } from './walk.ts'

const line = exampleHistory([exampleRevision('a'), exampleRevision('b', ['a']), exampleRevision('c', ['b'])])
const fork = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a'], { labels: ['left'] }),
  exampleRevision('c', ['a']),
])
const diamond = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['a']),
  exampleRevision('d', ['b', 'c']),
])

describe('resolveUpgrade', () => {
  it('takes base as nothing at all', () => {
    expect(resolveUpgrade(line, base, new Set(['a']))).toEqual({ ok: true, ids: [] })
  })

  it('takes head as the one head, and as nothing in an empty history', () => {
    expect(resolveUpgrade(line, head, new Set())).toEqual({ ok: true, ids: ['c'] })
    expect(resolveUpgrade(exampleHistory([]), head, new Set())).toEqual({ ok: true, ids: [] })
  })

  it('refuses head where there are several, and lists them', () => {
    expect(resolveUpgrade(fork, head, new Set())).toEqual({ ok: false, problem: severalHeads(fork.heads) })
    expect(severalHeads(fork.heads)).toMatchObject({
      code: 'SEVERAL_HEADS',
      message: 'the history has 2 heads: b "make b" (left), c "make c"',
      hint: 'name one of them as the target, or "heads" for all; join them with: pnpm migrate merge b c -d <database>',
    })
  })

  it('takes heads as all of them', () => {
    expect(resolveUpgrade(fork, heads, new Set())).toEqual({ ok: true, ids: ['b', 'c'] })
  })

  it('takes an id as its revision, or gives the problem of finding it', () => {
    expect(resolveUpgrade(line, to('b'), new Set())).toEqual({ ok: true, ids: ['b'] })
    expect(resolveUpgrade(line, to('ffff'), new Set())).toMatchObject({
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
        problem: { code: 'WALK_AMBIGUOUS', message: expect.stringContaining('b "make b" (left), c "make c"') },
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
})

describe('resolveDowngrade', () => {
  it('gives what is reverted, a revision at a time from what is applied', () => {
    expect(walk(line, -1, ['a', 'b', 'c'])).toEqual({ ok: true, ids: ['c'] })
    expect(walk(line, -2, ['a', 'b'])).toEqual({ ok: true, ids: ['a', 'b'] })
  })

  it('reverts nothing where nothing is applied, however far it is told to go', () => {
    expect(walk(line, -1, [])).toEqual({ ok: true, ids: [] })
    expect(walk(line, -9, [])).toEqual({ ok: true, ids: [] })
  })

  it('refuses to go below the base, and says how far it can go', () => {
    expect(walk(line, -3, ['a', 'b'])).toMatchObject({
      ok: false,
      problem: {
        code: 'WALK_TOO_FAR',
        message: '"-3" walks too far: there are only 2 revisions to revert',
        hint: 'the furthest is: -2',
      },
    })
    expect(walk(line, -2, ['a'])).toMatchObject({
      ok: false,
      problem: { code: 'WALK_TOO_FAR', message: '"-2" walks too far: there is only 1 revision to revert' },
    })
  })

  it('undoes a merge, and refuses to choose an arm after it', () => {
    expect(walk(diamond, -1, ['a', 'b', 'c', 'd'])).toEqual({ ok: true, ids: ['d'] })
    expect(walk(diamond, -2, ['a', 'b', 'c', 'd'])).toMatchObject({
      ok: false,
      problem: {
        code: 'WALK_AMBIGUOUS',
        message: '"-2" could go more than one way: b "make b", c "make c"',
        hint: expect.stringContaining('<label or id>@-2'),
      },
    })
  })

  it('keeps to the branch, and says so where it ends', () => {
    expect(resolveDowngrade(fork, { branch: 'left', steps: -1 }, new Set(['a', 'b', 'c']))).toEqual({
      ok: true,
      ids: ['b'],
    })
    expect(resolveDowngrade(fork, { branch: 'left', steps: -2 }, new Set(['a', 'b', 'c']))).toMatchObject({
      ok: false,
      problem: {
        code: 'WALK_TOO_FAR',
        message: '"left@-2" walks too far: there is only 1 revision to revert in the branch "left"',
        hint: 'the furthest is: left@-1',
      },
    })
  })
})

describe('resolvePlace', () => {
  it('walks from a revision, and says how far that can go', () => {
    expect(resolvePlace(line, { ...to('a'), steps: 2 })).toEqual({ ok: true, ids: ['c'] })
    expect(resolvePlace(line, { ...to('c'), steps: -3 })).toEqual({ ok: true, ids: [] })
    expect(resolvePlace(line, { ...to('a'), steps: 3 })).toMatchObject({
      ok: false,
      problem: {
        code: 'WALK_TOO_FAR',
        message: '"a+3" walks too far: only 2 revisions come after a "make a"',
        hint: 'the furthest is: a+2',
      },
    })
    expect(resolvePlace(line, { ...to('c'), steps: 1 })).toMatchObject({
      ok: false,
      problem: { message: '"c+1" walks too far: nothing comes after c "make c"', hint: 'the furthest is: c' },
    })
    expect(resolvePlace(line, { ...to('b'), steps: -3 })).toMatchObject({
      ok: false,
      problem: { message: '"b-3" walks too far: the base is 2 steps below b "make b"' },
    })
    expect(resolvePlace(line, { ...base, steps: 4 })).toMatchObject({
      ok: false,
      problem: { message: '"base+4" walks too far: only 3 revisions come after the base' },
    })
  })

  it('lists the ways of a walk that could go several', () => {
    expect(resolvePlace(fork, { ...to('a'), steps: 1 })).toMatchObject({
      ok: false,
      problem: {
        code: 'WALK_AMBIGUOUS',
        message: '"a+1" could go more than one way: b "make b" (left), c "make c"',
        hint: 'name the revision to go to instead of a number of steps',
      },
    })
  })

  it('refuses a walk that starts from what is applied', () => {
    expect(resolvePlace(line, by(-1))).toMatchObject({
      ok: false,
      problem: {
        code: 'TARGET_INVALID',
        message: '"-1" starts from what is applied, which does not count here',
        hint: 'say where to start: <revision>-1',
      },
    })
  })

  it('refuses a revision of another branch, and names both', () => {
    expect(resolvePlace(fork, { ...to('c'), branch: 'left' })).toMatchObject({
      ok: false,
      problem: {
        code: 'WRONG_BRANCH',
        message: '"left@c": c "make c" is not in the branch "left"',
        hint: 'leave the branch out: c',
      },
    })
  })

  it('names the branch that has several heads', () => {
    expect(resolvePlace(fork, { ...head, branch: 'a' })).toMatchObject({
      ok: false,
      problem: {
        code: 'SEVERAL_HEADS',
        message: 'the branch "a" has 2 heads: b "make b" (left), c "make c"',
        hint: expect.stringContaining('"a@heads" for all'),
      },
    })
  })
})

function walk(history: History, steps: number, applied: readonly string[]): Resolution {
  const resolve = steps > 0 ? resolveUpgrade : resolveDowngrade
  return resolve(history, by(steps), new Set(applied))
}
