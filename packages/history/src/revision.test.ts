import { describe, expect, it } from 'vitest'

import { exampleRevision } from './example-history.ts'
import { inCreationOrder, isRevisionId, nameRevision } from './revision.ts'

describe('isRevisionId', () => {
  it('takes exactly 12 lower-case hex digits', () => {
    expect(isRevisionId('3f9c1a7be204')).toBe(true)
    const others = ['', '3f9c', '3f9c1a7be2044', '3F9C1A7BE204', '3f9c1a7be20g', '3f9c1a7be204\n']
    expect(others.filter(isRevisionId)).toEqual([])
  })
})

describe('nameRevision', () => {
  it('gives the id and the message', () => {
    expect(nameRevision({ id: '3f9c1a7be204', message: 'add oauth tokens' })).toBe('3f9c1a7be204 "add oauth tokens"')
  })
})

describe('inCreationOrder', () => {
  it('compares moments, not the text of time stamps', () => {
    const later = exampleRevision('a', [], { created: '2026-11-20T10:00:00.5Z' })
    const earlier = exampleRevision('b', [], { created: '2026-11-20T11:00:00+02:00' })

    expect(inCreationOrder([later, earlier])).toEqual([earlier, later])
  })

  it('goes by id where two were created at the same moment, and leaves its input alone', () => {
    const input = [exampleRevision('b'), exampleRevision('c'), exampleRevision('a')]

    expect(inCreationOrder(input).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(input.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
  })
})
