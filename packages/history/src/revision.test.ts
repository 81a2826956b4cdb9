import { describe, expect, it } from 'vitest'

import { exampleRevision } from './example-history.ts'
import { inCreationOrder, isRevisionId, missingWayBack, nameRevision, scriptFile } from './revision.ts'

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

describe('scriptFile', () => {
  it('names a file for each side of SQL, and one for both sides of TypeScript', () => {
    expect(scriptFile({ folder: 'm/a' }, 'up')).toBe('m/a/migration.sql')
    expect(scriptFile({ folder: 'm/a' }, 'down')).toBe('m/a/down.sql')
    expect(scriptFile({ folder: 'm/a', language: 'typescript' }, 'up')).toBe('m/a/migration.ts')
    expect(scriptFile({ folder: 'm/a', language: 'typescript' }, 'down')).toBe('m/a/migration.ts')
  })
})

describe('missingWayBack', () => {
  it('names what is to be written where', () => {
    expect(missingWayBack({ folder: 'm/a' })).toEqual({ name: 'down.sql', place: 'm/a/down.sql' })
    expect(missingWayBack({ folder: 'm/a', language: 'typescript' })).toEqual({
      name: '"down" in its migration.ts',
      place: '"down" in m/a/migration.ts',
    })
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
