import type { Revision } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { dependenciesOf, describeMade, madeJson } from './revision.ts'

const first: Revision = {
  id: 'a1a1a1a1a1a1',
  parents: [],
  dependsOn: [],
  labels: [],
  message: 'add users',
  created: '2026-11-20T10:00:00Z',
  folder: 'databases/main/migrations/1',
  reversible: true,
}
const billing: Revision = {
  ...first,
  id: 'b1b1b1b1b1b1',
  parents: [first.id],
  dependsOn: ['d1d1d1d1d1d1'],
  dependsOnElsewhere: [{ database: 'credentials', revision: 'c1c1c1c1c1c1' }],
  labels: ['billing', 'money'],
}

describe('dependenciesOf', () => {
  it('are those of the same history, then those of other databases', () => {
    expect(dependenciesOf(first)).toEqual([])
    expect(dependenciesOf(billing)).toEqual(['d1d1d1d1d1d1', 'credentials/c1c1c1c1c1c1'])
  })
})

describe('describeMade', () => {
  it('says where the revision hangs, and what else it says of itself only when there is any', () => {
    expect(describeMade('main', billing, 1)).toEqual([
      'main: made revision b1b1b1b1b1b1, after a1a1a1a1a1a1',
      '  labels      billing, money',
      '  depends on  d1d1d1d1d1d1, credentials/c1c1c1c1c1c1',
    ])
  })

  it('tells the first revision from another base', () => {
    expect(describeMade('main', first, 0)).toEqual(['main: made revision a1a1a1a1a1a1, after nothing: it is the first'])
    expect(describeMade('main', first, 2)).toEqual([
      'main: made revision a1a1a1a1a1a1, after nothing: it is a new base',
    ])
  })
})

describe('madeJson', () => {
  it('has labels and dependencies, empty or not, and the files', () => {
    expect(madeJson(first)).toMatchObject({ labels: [], dependsOn: [] })
    expect(madeJson(billing)).toMatchObject({
      labels: ['billing', 'money'],
      dependsOn: ['d1d1d1d1d1d1', 'credentials/c1c1c1c1c1c1'],
      files: ['databases/main/migrations/1/migration.sql', 'databases/main/migrations/1/down.sql'],
    })
  })
})
