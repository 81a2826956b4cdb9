/** The modes of a lock on a table, the weakest first, as `pg_locks` calls them (PostgreSQL, "Table-Level Locks"). */
export const lockModes = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const

/** A mode of a lock on a table. */
export type LockMode = (typeof lockModes)[number]

/** What an application has to wait with while somebody else holds a lock. */
export type Blocked = 'nothing' | 'writes' | 'reads and writes'

/**
 * What a lock keeps an application from: reading takes AccessShareLock, changing rows RowExclusiveLock. ExclusiveLock counts
 * among those that block writes; it also blocks `select … for update`.
 */
export function blockedBy(mode: LockMode): Blocked {
  if (mode === 'AccessExclusiveLock') return 'reads and writes'
  return strengthOf(mode) >= strengthOf('ShareLock') ? 'writes' : 'nothing'
}

/** Whether a lock is stronger than another; anything is stronger than none. */
export function isStronger(mode: LockMode, other: LockMode | undefined): boolean {
  return other === undefined || strengthOf(mode) > strengthOf(other)
}

function strengthOf(mode: LockMode): number {
  return lockModes.indexOf(mode)
}
