import { describe, expect, it } from 'vitest'

import { blockedBy, isStronger, lockModes } from './lock-modes.ts'

/** The table of "Conflicting Lock Modes" in PostgreSQL's documentation, as numbers of modes from 0. */
const conflicts = [[7], [6, 7], [4, 5, 6, 7], [3, 4, 5, 6, 7], [2, 3, 5, 6, 7], [2, 3, 4, 5, 6, 7]]

describe('what a lock keeps an application from', () => {
  it.each(lockModes.map((mode, index) => [mode, index] as const))('is what %s conflicts with', (mode, index) => {
    const blocksReads = conflicts[0]!.includes(index)
    const blocksWrites = conflicts[2]!.includes(index)

    expect(blockedBy(mode)).toBe(blocksReads ? 'reads and writes' : blocksWrites ? 'writes' : 'nothing')
  })
})

describe('of two locks', () => {
  it('the one that conflicts with more of what an application does is stronger', () => {
    expect(isStronger('AccessExclusiveLock', 'ShareLock')).toBe(true)
    expect(isStronger('ShareLock', 'ShareUpdateExclusiveLock')).toBe(true)
    expect(isStronger('ShareLock', 'ShareLock')).toBe(false)
    expect(isStronger('RowShareLock', 'ShareLock')).toBe(false)
  })

  it('any is stronger than none', () => {
    expect(isStronger('AccessShareLock', undefined)).toBe(true)
  })
})
