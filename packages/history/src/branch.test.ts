import { describe, expect, it } from 'vitest'

import { aboveOf, branchOf, childrenOf } from './branch.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'

/** `a`, `b`, then the arms `c d` and `e`, joined by `f`, then `g`. `x` depends on `d`. */
const history = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['b']),
  exampleRevision('d', ['c']),
  exampleRevision('e', ['b']),
  exampleRevision('f', ['d', 'e']),
  exampleRevision('g', ['f']),
  exampleRevision('x', [], { dependsOn: ['d'] }),
])

describe('branchOf', () => {
  it('owns what descends from the revision, and what is below it back to where the branch began', () => {
    expect(own('d')).toEqual(['c', 'd', 'f', 'g'])
    expect(own('e')).toEqual(['e', 'f', 'g'])
    expect(own('a')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  })

  it('begins above a merge', () => {
    expect(own('g')).toEqual(['g'])
    expect(own('f')).toEqual(['f', 'g'])
  })

  it('knows its lowest revision, and everything that it comes from', () => {
    const branch = branchOf(history, history.byId.get('d')!, 'd')

    expect(branch.start.id).toBe('c')
    expect(sorted(branch.lineage)).toEqual(['a', 'b', 'c', 'd', 'f', 'g'])
  })

  it('does not follow dependencies', () => {
    expect(own('x')).toEqual(['x'])
  })
})

describe('childrenOf', () => {
  it('gives revisions that name this one as a parent, and none that depend on it', () => {
    expect(childrenOf(history, 'b')).toEqual(['c', 'e'])
    expect(childrenOf(history, 'd')).toEqual(['f'])
    expect(childrenOf(history, 'g')).toEqual([])
  })
})

describe('aboveOf', () => {
  it('gives what descends from revisions, and what comes after that', () => {
    expect(sorted(aboveOf(history, ['e']))).toEqual(['f', 'g'])
    expect(sorted(aboveOf(history, ['c']))).toEqual(['d', 'f', 'g', 'x'])
  })

  it('leaves what merely depends on one of them', () => {
    expect(sorted(aboveOf(history, ['d']))).toEqual(['f', 'g'])
  })

  it('gives everything above the base, or all that is a branch alone', () => {
    expect(aboveOf(history, []).size).toBe(8)
    expect(sorted(aboveOf(history, [], branchOf(history, history.byId.get('e')!, 'e')))).toEqual(['e', 'f', 'g'])
  })
})

function own(id: string): readonly string[] {
  return sorted(branchOf(history, history.byId.get(id)!, id).own)
}

function sorted(ids: ReadonlySet<string>): readonly string[] {
  return [...ids].toSorted()
}
