import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { ancestorsOf, buildHistory, comesAfter, currentOf, descendantsOf } from './graph.ts'
import type { Problem } from './problem.ts'
import type { Revision } from './revision.ts'

describe('buildHistory', () => {
  it('makes an empty history of no revisions', () => {
    const history = exampleHistory([])

    expect(history.revisions).toEqual([])
    expect(history.heads).toEqual([])
    expect(history.bases).toEqual([])
  })

  it('puts revisions in the order of the graph, even against their creation times', () => {
    const child = exampleRevision('a', ['b'], { created: '2020-01-01T00:00:00Z' })
    const base = exampleRevision('b', [], { created: '2026-01-01T00:00:00Z' })

    expect(exampleHistory([child, base]).revisions).toEqual([base, child])
  })

  it('orders what the graph leaves free by creation time, then id', () => {
    const history = exampleHistory([
      exampleRevision('c'),
      exampleRevision('b'),
      exampleRevision('a', [], { created: '2026-12-31T00:00:00Z' }),
    ])

    expect(idsOf(history.revisions)).toEqual(['b', 'c', 'a'])
  })

  it('finds heads, bases and followers of a history that branches and merges', () => {
    const history = exampleHistory([
      exampleRevision('a'),
      exampleRevision('b', ['a']),
      exampleRevision('c', ['a']),
      exampleRevision('d', ['c', 'b']),
      exampleRevision('e', ['c']),
      exampleRevision('f'),
    ])

    expect(idsOf(history.bases)).toEqual(['a', 'f'])
    expect(idsOf(history.heads)).toEqual(['d', 'e', 'f'])
    expect(Object.fromEntries(history.followers)).toEqual({
      a: ['b', 'c'],
      b: ['d'],
      c: ['d', 'e'],
      d: [],
      e: [],
      f: [],
    })
  })

  it('runs a dependency first, and lets it stay the head of its own arm', () => {
    const history = exampleHistory([exampleRevision('a', [], { dependsOn: ['z'] }), exampleRevision('z')])

    expect(idsOf(history.revisions)).toEqual(['z', 'a'])
    expect(idsOf(history.heads)).toEqual(['z', 'a'])
    expect(idsOf(history.bases)).toEqual(['z', 'a'])
    expect(history.followers.get('z')).toEqual(['a'])
  })

  it('names a follower once, however often it names what it comes after', () => {
    const history = exampleHistory([exampleRevision('a'), exampleRevision('b', ['a', 'a'], { dependsOn: ['a'] })])

    expect(history.followers.get('a')).toEqual(['b'])
  })

  it('refuses an id that several folders use, and names all of them', () => {
    const problems = problemsOf([
      exampleRevision('a', [], { folder: 'migrations/2_copy' }),
      exampleRevision('b'),
      exampleRevision('a', [], { folder: 'migrations/3_copy' }),
      exampleRevision('a', [], { folder: 'migrations/1_first' }),
    ])

    expect(problems).toMatchObject([
      {
        code: 'DUPLICATE_ID',
        revision: 'a',
        file: 'migrations/3_copy/revision.json',
        message: expect.stringContaining('migrations/1_first, migrations/2_copy, migrations/3_copy'),
      },
    ])
  })

  it('refuses parents and dependencies that do not exist, and names everyone who misses one', () => {
    const problems = problemsOf([
      exampleRevision('a', ['gone']),
      exampleRevision('b', ['a'], { dependsOn: ['lost'] }),
      exampleRevision('c', ['b']),
    ])

    expect(problems).toMatchObject([
      { code: 'MISSING_PARENT', revision: 'a', file: 'databases/main/migrations/a/revision.json' },
      { code: 'MISSING_PARENT', revision: 'b', file: 'databases/main/migrations/b/revision.json' },
    ])
    expect(problems[0]!.message).toContain('databases/main/migrations/a (a) comes after gone')
    expect(problems[1]!.message).toContain('databases/main/migrations/b (b) comes after lost')
  })

  it('misses a parent once that a revision names twice', () => {
    expect(problemsOf([exampleRevision('a', ['gone', 'gone'])])).toHaveLength(1)
    expect(problemsOf([exampleRevision('a', ['gone'], { dependsOn: ['gone'] })])).toHaveLength(1)
  })

  it('finds revisions by their labels', () => {
    const labelled = exampleRevision('a', [], { labels: ['billing', 'invoices'] })

    expect(exampleHistory([labelled]).byLabel).toEqual(
      new Map([
        ['billing', labelled],
        ['invoices', labelled],
      ]),
    )
  })

  it('refuses a label that several revisions use, and names their folders', () => {
    const problems = problemsOf([
      exampleRevision('a', [], { labels: ['billing'] }),
      exampleRevision('b', ['a'], { labels: ['billing', 'other'] }),
    ])

    expect(problems).toMatchObject([
      {
        code: 'DUPLICATE_LABEL',
        revision: 'b',
        file: 'databases/main/migrations/b/revision.json',
        message: 'the label "billing" is used by 2 revisions: databases/main/migrations/a, databases/main/migrations/b',
      },
    ])
  })

  it('does not mind a label that one revision names twice', () => {
    expect(problemsOf([exampleRevision('a', [], { labels: ['billing', 'billing'] })])).toEqual([])
  })

  it('refuses labels that no target could name, and says why', () => {
    const problems = problemsOf([
      exampleRevision('xyz', [], { labels: ['my label'] }),
      exampleRevision('xyz2', ['xyz'], { labels: ['Head', 'xyz', 'cafe'] }),
    ])

    expect(problems.map((problem) => problem.code)).toEqual(Array.from({ length: 4 }, () => 'REVISION_INVALID'))
    expect(problems[0]).toMatchObject({ revision: 'xyz', file: 'databases/main/migrations/xyz/revision.json' })
    expect(problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining('xyz/revision.json: the label "my label" is not 1 to 63 letters'),
      expect.stringContaining('xyz2/revision.json: the label "Head" is a word of its own in targets'),
      expect.stringContaining('the label "xyz" is the id of a revision'),
      expect.stringContaining('the label "cafe" could be taken for an id'),
    ])
  })

  it('refuses a circle, and tells its way round and the files to look at', () => {
    const [problem, ...others] = problemsOf([
      exampleRevision('a', ['c']),
      exampleRevision('b', ['a']),
      exampleRevision('c', ['b']),
      exampleRevision('d', ['c']),
    ])

    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'CYCLE', revision: 'a', file: 'databases/main/migrations/a/revision.json' })
    expect(problem!.message).toContain('a "make a" after c "make c" after b "make b" after a "make a"')
    expect(problem!.hint).toContain('databases/main/migrations/b/revision.json')
    expect(problem!.hint).not.toContain('databases/main/migrations/d')
  })

  it('refuses a revision that comes after itself', () => {
    expect(problemsOf([exampleRevision('a', ['a'])])).toMatchObject([
      { code: 'CYCLE', message: expect.stringContaining('a "make a" after a "make a"') },
    ])
  })

  it('says that a circle may run through a dependency', () => {
    const [problem] = problemsOf([exampleRevision('a', [], { dependsOn: ['b'] }), exampleRevision('b', ['a'])])

    expect(problem).toMatchObject({ code: 'CYCLE', hint: expect.stringContaining('"dependsOn"') })
  })
})

describe('comesAfter', () => {
  it('gives parents and dependencies, each once', () => {
    expect(comesAfter(exampleRevision('c', ['a', 'b'], { dependsOn: ['b', 'x'] }))).toEqual(['a', 'b', 'x'])
    expect(comesAfter(exampleRevision('c', ['a', 'a']))).toEqual(['a'])
    expect(comesAfter(exampleRevision('c', [], { dependsOn: ['x'] }))).toEqual(['x'])
    expect(comesAfter(exampleRevision('c'))).toEqual([])
  })
})

describe('ancestorsOf and descendantsOf', () => {
  const history = exampleHistory([
    exampleRevision('a'),
    exampleRevision('b', ['a']),
    exampleRevision('c', ['b']),
    exampleRevision('x', [], { dependsOn: ['b'] }),
  ])

  it('include the revisions themselves, and follow dependencies', () => {
    expect([...ancestorsOf(history, ['x'])].toSorted()).toEqual(['a', 'b', 'x'])
    expect([...descendantsOf(history, ['b'])].toSorted()).toEqual(['b', 'c', 'x'])
  })

  it('are empty for nothing, and leave out ids that the history does not know', () => {
    expect(ancestorsOf(history, [])).toEqual(new Set())
    expect(ancestorsOf(history, ['gone', 'a'])).toEqual(new Set(['a']))
    expect(descendantsOf(history, ['gone'])).toEqual(new Set())
  })
})

describe('currentOf', () => {
  const history = exampleHistory([
    exampleRevision('a'),
    exampleRevision('b', ['a']),
    exampleRevision('c', ['b']),
    exampleRevision('d', ['a']),
    exampleRevision('x', [], { dependsOn: ['d'] }),
  ])

  it('is nothing when nothing is applied', () => {
    expect(currentOf(history, new Set())).toEqual([])
  })

  it('gives the end of each arm in run order', () => {
    expect(currentOf(history, new Set(['d', 'c', 'b', 'a']))).toEqual(['c', 'd'])
  })

  it('does not give what another arm depends on', () => {
    expect(currentOf(history, new Set(['a', 'd', 'x']))).toEqual(['x'])
  })

  it('looks past a gap to what comes after it', () => {
    expect(currentOf(history, new Set(['a', 'c']))).toEqual(['c'])
  })

  it('gives ids that the history does not know, last and in alphabetical order', () => {
    expect(currentOf(history, new Set(['later', 'a', 'gone']))).toEqual(['a', 'gone', 'later'])
  })
})

function problemsOf(revisions: readonly Revision[]): readonly Problem[] {
  const result = buildHistory(revisions)
  return result.ok ? [] : result.problems
}

function idsOf(revisions: readonly Revision[]): readonly string[] {
  return revisions.map((revision) => revision.id)
}
