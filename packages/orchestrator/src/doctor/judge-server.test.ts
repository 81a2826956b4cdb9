import type { ServerFacts } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { judgeServer, type ServerContext } from './judge-server.ts'

const healthy: ServerFacts = {
  version: 180_004,
  versionText: '18.4',
  isStandby: false,
  isSuperuser: false,
  mayCreateDatabases: true,
  mayCreateSchemas: true,
  user: 'main_owner',
  storeOwner: 'main_owner',
  isStoreOurs: true,
  isStoreOld: false,
  isEncrypted: true,
  clockMs: 0,
  clockAheadMs: 3,
  turnMs: 2,
  settings: {
    default_transaction_isolation: 'read committed',
    default_transaction_read_only: 'off',
    fsync: 'on',
    full_page_writes: 'on',
    idle_in_transaction_session_timeout: '1min',
    max_locks_per_transaction: '64',
    session_replication_role: 'origin',
    synchronous_commit: 'on',
  },
  invalidIndexes: [],
}
const usual: ServerContext = {
  name: 'main',
  database: 'main',
  isLocal: false,
  isDevelopment: false,
  isPooled: false,
  hasAdministrator: false,
}

/** What is not as it should be: `warning settings`. */
function found(facts: Partial<ServerFacts>, context: Partial<ServerContext> = {}): readonly string[] {
  return judgeServer({ ...healthy, ...facts }, { ...usual, ...context })
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check }) => `${level} ${check}`)
}

const set = (name: string, value: string) => ({ settings: { ...healthy.settings, [name]: value } })

describe('of a server', () => {
  it('there is nothing to say where all is well, and each look has an answer', () => {
    expect(found({})).toEqual([])
    expect(judgeServer(healthy, usual).map(({ check }) => check)).toEqual([
      'version',
      'writable',
      'pooler',
      'encryption',
      'privileges',
      'records',
      'copies',
      'clock',
      'settings',
      'indexes',
    ])
  })

  it.each<[what: string, finding: string, facts: Partial<ServerFacts>, context?: Partial<ServerContext>]>([
    ['an old version', 'wrong version', { version: 140_011 }],
    ['a standby', 'wrong writable', { isStandby: true }],
    ['read-only transactions', 'wrong writable', set('default_transaction_read_only', 'on')],
    ['a pooler', 'warning pooler', {}, { isPooled: true }],
    ['no TLS on a network', 'warning encryption', { isEncrypted: false }],
    ['a user who may not create the schema', 'wrong privileges', { mayCreateSchemas: false, storeOwner: null }],
    ['a superuser', 'warning privileges', { isSuperuser: true }],
    ["somebody else's records", 'wrong records', { storeOwner: 'other', isStoreOurs: false }],
    ['records of an earlier version', 'warning records', { isStoreOld: true }],
    ['a user who may not create databases', 'warning copies', { mayCreateDatabases: false }],
    ['a clock that is ahead', 'warning clock', { clockAheadMs: 60_000 }],
    ['a clock that is behind', 'warning clock', { clockAheadMs: -60_000 }],
    ['no fsync', 'warning settings', set('fsync', 'off')],
    ['commits that wait for nothing', 'warning settings', set('synchronous_commit', 'off')],
    ['sessions that may idle for ever', 'warning settings', set('idle_in_transaction_session_timeout', '0')],
    ['another isolation', 'warning settings', set('default_transaction_isolation', 'repeatable read')],
    ['few locks', 'warning settings', set('max_locks_per_transaction', '10')],
    ['no triggers', 'warning settings', set('session_replication_role', 'replica')],
    [
      'an invalid index',
      'wrong indexes',
      { invalidIndexes: [{ index: 'public.by_name', table: 'public.users', isBeingBuilt: false }] },
    ],
  ])('%s is found', (_, finding, facts, context) => {
    expect(found(facts, context)).toEqual([finding])
  })

  it.each<[what: string, facts: Partial<ServerFacts>, context?: Partial<ServerContext>]>([
    ['no TLS on this machine', { isEncrypted: false }, { isLocal: true }],
    ['the superuser of the development server', { isSuperuser: true }, { isDevelopment: true }],
    ['the speed of the development server', set('fsync', 'off'), { isDevelopment: true }],
    ['records that are still to be made', { storeOwner: null, isStoreOurs: false }],
    [
      'a user who may not create databases, with an administrator',
      { mayCreateDatabases: false },
      { hasAdministrator: true },
    ],
    ['a slow answer that says little of the clock', { clockAheadMs: 6000, turnMs: 9000 }],
    [
      'an index that is being built',
      { invalidIndexes: [{ index: 'public.by_name', table: 'public.users', isBeingBuilt: true }] },
    ],
  ])('%s is nothing wrong', (_, facts, context) => {
    expect(found(facts, context)).toEqual([])
  })

  it('whatever is not well comes with what to do about it', () => {
    const all = judgeServer(
      { ...healthy, isStandby: true, isEncrypted: false, isStoreOld: true },
      { ...usual, isPooled: true },
    )

    for (const { level, hint } of all) expect(hint !== undefined).toBe(level !== 'ok')
  })
})
