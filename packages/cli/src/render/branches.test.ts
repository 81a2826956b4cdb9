import { buildHistory, type History } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { branchesJson, describeBranches, findBranchPoints } from './branches.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

describe('findBranchPoints', () => {
  it('finds the revisions with several children, and nothing in a line', () => {
    expect(findBranchPoints(historyOf({ a1: {}, b1: { parents: ['a1'] } }))).toEqual([])
    expect(shapeOf(arms)).toEqual([['a1', 'b1 billing,late', 'c1']])
  })

  it('gives an arm the labels of its later revisions too, and none that cover the whole point', () => {
    const labelled = historyOf({
      a1: { labels: ['trunk'] },
      b1: { parents: ['a1'] },
      c1: { parents: ['a1'] },
      c2: { parents: ['c1'], labels: ['search'] },
      d1: { parents: ['c2'] },
      d2: { parents: ['c2'], labels: ['mail'] },
    })

    expect(shapeOf(labelled)).toEqual([
      ['a1', 'b1', 'c1 search'],
      ['c2', 'd1', 'd2 mail'],
    ])
  })

  it('takes several bases for a branch point below all revisions', () => {
    const bases = historyOf({ a1: {}, b1: { labels: ['billing'] } })

    expect(shapeOf(bases)).toEqual([['base', 'a1', 'b1 billing']])
  })

  it('does not take a dependency for a branch', () => {
    const depending = historyOf({ a1: {}, b1: { parents: ['a1'] }, c1: { parents: ['b1'], dependsOn: ['a1'] } })

    expect(findBranchPoints(depending)).toEqual([])
  })
})

describe('describeBranches', () => {
  it('names each point, with what goes on there below it', () => {
    expect(describeBranches('main', findBranchPoints(arms), plain)).toEqual([
      'main: 1 branch point',
      `  ${idOf('a1')}  make a1`,
      `    ${idOf('b1')}  make b1 [billing] [late]`,
      `    ${idOf('c1')}  make c1`,
    ])
  })

  it('says that there are none', () => {
    expect(describeBranches('main', [], plain)).toEqual(['main: no branches'])
  })
})

describe('branchesJson', () => {
  it('has null for the base', () => {
    expect(branchesJson('main', findBranchPoints(historyOf({ a1: {}, b1: {} })))).toEqual({
      name: 'main',
      branches: [
        {
          revision: null,
          message: '',
          labels: [],
          children: [
            { revision: idOf('a1'), message: 'make a1', labels: [] },
            { revision: idOf('b1'), message: 'make b1', labels: [] },
          ],
        },
      ],
    })
  })
})

interface Place {
  readonly parents?: readonly string[]
  readonly dependsOn?: readonly string[]
  readonly labels?: readonly string[]
}

/** A history of revisions that are called by two characters, in alphabetical order. */
function historyOf(places: Readonly<Record<string, Place>>): History {
  const built = buildHistory(
    Object.entries(places).map(([name, { parents = [], dependsOn = [], labels = [] }]) => ({
      id: idOf(name),
      parents: parents.map(idOf),
      dependsOn: dependsOn.map(idOf),
      labels,
      message: `make ${name}`,
      created: '2026-11-20T10:00:00Z',
      folder: `databases/main/migrations/${name}`,
      reversible: true,
    })),
  )
  if (!built.ok) throw new Error(built.problems.map((problem) => problem.message).join('\n'))
  return built.history
}

function idOf(name: string): string {
  return name.repeat(6)
}

function shapeOf(history: History): readonly (readonly string[])[] {
  return findBranchPoints(history).map(({ revision, children }) => [
    revision?.id.slice(0, 2) ?? 'base',
    ...children.map((child) => `${child.revision.id.slice(0, 2)} ${child.labels.join(',')}`.trimEnd()),
  ])
}

const arms = historyOf({
  a1: {},
  b1: { parents: ['a1'], labels: ['billing'] },
  b2: { parents: ['b1'], labels: ['late'] },
  c1: { parents: ['a1'] },
})
