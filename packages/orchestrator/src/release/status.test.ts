import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import { appliedIds, type Status, statusOf } from './status.ts'

const line = { a: [], b: ['a'], c: ['b'] }
const fork = { a: [], b: ['a'], c: ['a'] }

describe('statusOf', () => {
  it.each<[Status['state'], string, Record<string, readonly string[]>, readonly string[], Omit<Status, 'state'>]>([
    ['up-to-date', 'a history without revisions', {}, [], { current: [], heads: [], pending: [] }],
    ['behind', 'nothing applied', line, [], { current: [], heads: ['c'], pending: ['a', 'b', 'c'] }],
    ['behind', 'the last one missing', line, ['a', 'b'], { current: ['b'], heads: ['c'], pending: ['c'] }],
    ['behind', 'one arm missing', fork, ['a', 'c'], { current: ['c'], heads: ['b', 'c'], pending: ['b'] }],
    ['up-to-date', 'everything applied', line, ['c', 'a', 'b'], { current: ['c'], heads: ['c'], pending: [] }],
    ['up-to-date', 'both arms applied', fork, ['a', 'b', 'c'], { current: ['b', 'c'], heads: ['b', 'c'], pending: [] }],
    ['diverged', 'a gap', line, ['a', 'c'], { current: ['c'], heads: ['c'], pending: ['b'] }],
    [
      'ahead',
      'more than the files know',
      line,
      ['a', 'b', 'c', 'd'],
      { current: ['c', 'd'], heads: ['c'], pending: [] },
    ],
    ['diverged', 'another line', line, ['a', 'x'], { current: ['a', 'x'], heads: ['c'], pending: ['b', 'c'] }],
  ])('is %s with %s', (state, _, parents, applied, rest) => {
    expect(statusOf(exampleMember('main', parents, applied))).toEqual({ state, ...rest })
  })
})

describe('appliedIds', () => {
  it('are the ids of what is applied', () => {
    expect(appliedIds(exampleMember('main', line, ['a', 'b']).state)).toEqual(new Set(['a', 'b']))
  })
})
