import type { Blocker } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { adviseOn } from './advice.ts'
import type { ServerError } from './server-error.ts'

const failed = { file: 'migration.sql', id: '000000000001', direction: 'up', text: 'select 1' } as const

/** What cannot be provoked without doing harm to a server that others use, or not at all; the words are PostgreSQL's. */
describe('what to do about', () => {
  it.each<[what: string, error: ServerError, advice: string]>([
    [
      'a full disk',
      { sqlstate: '53100', message: 'could not extend file "base/16384/16385": No space left on device' },
      'make room on the disk',
    ],
    ['memory that is used up', { sqlstate: '53200', message: 'out of memory' }, 'work_mem'],
    // Whoever fills the table of locks fails all others on the server.
    ['a full table of locks', { sqlstate: '53200', message: 'out of shared memory' }, 'max_locks_per_transaction'],
    // A message ends with its first error; code that goes on after one gets there.
    [
      'a failed transaction',
      { sqlstate: '25P02', message: 'current transaction is aborted' },
      'let the first error through',
    ],
    ['what somebody else changes', { sqlstate: 'XX000', message: 'tuple concurrently updated' }, 'at the same time'],
    [
      'a fault of PostgreSQL',
      { sqlstate: 'XX000', message: 'cache lookup failed for type 1' },
      'the log of the server',
    ],
    ['a damaged table', { sqlstate: 'XX001', message: 'invalid page in block 0' }, 'a backup'],
    ['a damaged index', { sqlstate: 'XX002', message: 'index "i" contains corrupted page' }, '"reindex"'],
    [
      'what somebody else creates',
      {
        sqlstate: '23505',
        message: 'duplicate key value violates unique constraint "pg_namespace_nspname_index"',
        schema: 'pg_catalog',
        table: 'pg_namespace',
      },
      'making the same object',
    ],
    [
      'a server that speaks another language',
      {
        sqlstate: '23505',
        message: 'konnte Unique-Index »t_a_idx« nicht erstellen',
        detail: 'Schlüssel (a)=(1) ist doppelt vorhanden.',
        schema: 'public',
        table: 'Ü',
      },
      'select a, count(*) from public."Ü" group by a',
    ],
    [
      'a cancellation in another language',
      { sqlstate: '57014', message: 'storniere Anfrage' },
      'unless an administrator',
    ],
    ['an unknown SQLSTATE', { sqlstate: 'ZZ999', message: 'who knows' }, 'correct migration.sql'],
    ['an error without one', { message: 'who knows' }, 'correct migration.sql'],
  ])('%s', (_, error, advice) => {
    expect(adviseOn(error, failed)).toContain(advice)
  })

  it('a lock depends on who holds it', () => {
    const idle = { pid: 7, state: 'idle in transaction' }
    const autovacuum = { pid: 8, state: 'active', backendType: 'autovacuum worker' }

    expect(adviseOnLockOf()).toContain('a quieter hour')
    expect(adviseOnLockOf({ pid: 9, state: 'active' })).toContain('a quieter hour')
    expect(adviseOnLockOf(autovacuum)).toContain('--lock-timeout 2s')
    expect(adviseOnLockOf(autovacuum, idle)).toContain('"select pg_terminate_backend(7)" or with --kill-blockers-after')
  })
})

function adviseOnLockOf(...blockers: readonly Partial<Blocker>[]): string {
  return adviseOn(
    { sqlstate: '55P03', message: 'canceling statement due to lock timeout' },
    { ...failed, blockers: blockers.map((blocker) => ({ hidden: false, locks: [], ...blocker })) },
  )
}
