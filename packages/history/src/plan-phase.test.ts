import { describe, expect, it } from 'vitest'

import { isLaterPhase, type Phase, phases } from './phase.ts'
import { findHeldBack, type PhasedNode } from './plan-phase.ts'

describe('isLaterPhase', () => {
  it('has expand before backfill before contract, and nothing later than itself', () => {
    expect(phases.map((phase) => phases.filter((than) => isLaterPhase(phase, than)))).toEqual([
      [],
      ['expand'],
      ['expand', 'backfill'],
    ])
  })

  it('takes a revision without a phase for one that runs with the first', () => {
    expect(phases.filter((than) => isLaterPhase(undefined, than))).toEqual([])
  })
})

describe('findHeldBack', () => {
  /** Adds, moves the data, takes away, and adds once more behind that. */
  const line = [node('a', [], 'expand'), node('b', ['a'], 'backfill'), node('c', ['b'], 'contract'), node('d', ['c'])]

  it.each<[Phase, readonly (readonly [string, Phase])[]]>([
    [
      'expand',
      [
        ['b', 'backfill'],
        ['c', 'contract'],
        ['d', 'contract'],
      ],
    ],
    [
      'backfill',
      [
        ['c', 'contract'],
        ['d', 'contract'],
      ],
    ],
    ['contract', []],
  ])('with %s finds what is later, and what comes after that whatever its own phase', (phase, held) => {
    expect(findHeldBack(line, phase)).toEqual(new Map(held))
  })

  it('leaves other arms alone', () => {
    const arms = [node('a'), node('b', ['a'], 'contract'), node('c', ['a']), node('d', ['c', 'b'])]

    expect([...findHeldBack(arms, 'expand').keys()].toSorted()).toEqual(['b', 'd'])
  })

  it('asks nothing of what is applied, and so is not among the nodes', () => {
    expect(findHeldBack([node('d', ['c'])], 'expand')).toEqual(new Map())
  })

  it('has what comes after two phases wait for the latest of them', () => {
    const arms = [node('a', [], 'backfill'), node('b', [], 'contract'), node('c', ['a', 'b'], 'backfill')]

    expect(findHeldBack(arms, 'expand').get('c')).toBe('contract')
  })
})

function node(id: string, after: readonly string[] = [], phase?: Phase): PhasedNode {
  return { id, after, ...(phase && { phase }) }
}
