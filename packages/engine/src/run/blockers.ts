import { setTimeout as sleep } from 'node:timers/promises'

import type { Blocker } from '@drover/history'
import * as v from 'valibot'

import { type Connection, openConnection } from '../connect/connection.ts'
import { selectHistoryLockHolder } from '../lease/history-lock.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { selectTime } from '../sql/time.ts'
import type { Place } from '../store/place.ts'
import { recognizable } from './recognizable.ts'

/** What is found out about who is in the way. */
export type BlockerEvent =
  /** Who was in the way of the attempt that has ended, when it is not the same as before. */
  | { readonly type: 'blockers-found'; readonly blockers: readonly Blocker[] }
  /** A session that was ended because it was idle in a transaction for too long. */
  | { readonly type: 'blocker-ended'; readonly blocker: Blocker }
  /** A session that should have been ended, and why it was not. */
  | { readonly type: 'blocker-kept'; readonly blocker: Blocker; readonly reason: string }

/** Whose blockers are looked for, and what becomes of them. */
export interface WatchOptions {
  readonly url: Connection['url']
  /** What is changed: the session at work holds its lock, by which it is found behind any pooler. */
  readonly place: Place
  /** Sessions that are in the way and idle in a transaction for as long as this, in milliseconds, are ended. Default: none is. */
  readonly killAfterMs?: number | undefined
  readonly onEvent?: ((event: BlockerEvent) => void) | undefined
}

/** Looks at who is in the way of a session, over a connection of its own. */
export interface BlockerWatch extends AsyncDisposable {
  /**
   * Looks again and again until the work is done, which it never holds up. Behind one that has failed, the look that is on its way may
   * still have seen why, and is waited for.
   * @param work resolves to `undefined` when it has succeeded
   * @returns who was in the way at last
   */
  during(work: Promise<unknown>): Promise<readonly Blocker[]>
}

/** How long we look several times within the usual lock_timeout, in milliseconds. A statement may take hours. */
const eagerness = 5000

/** How long a look is waited for behind work that has failed, in milliseconds: a busy server takes longer over it than over giving a lock up. */
const lastLook = 1000

/** Begins to look at who is in the way of whoever changes a history. What goes wrong with it is nobody's problem: then nobody is found. */
export function watchBlockers({ url, place, killAfterMs, onEvent }: WatchOptions): BlockerWatch {
  const connection = openConnection(url, { connectTimeout: 5 })
  const settled = new Set<number>()
  let isBlind = false
  let looking: Promise<readonly Blocker[]> | undefined
  const look = async () => {
    if (isBlind) return []
    looking ??= lookAt(connection, place)
    try {
      return await looking
    } catch {
      isBlind = true
      return []
    } finally {
      looking = undefined
    }
  }
  // While the first attempt is still being slept over.
  void look()

  const end = async (blocker: Blocker) => {
    if (killAfterMs === undefined || blocker.pid === undefined || settled.has(blocker.pid)) return
    if (!blocker.hidden && blocker.state !== 'idle in transaction') return
    const outcome = await endIdle(connection, place, blocker, killAfterMs)
    if (outcome === 'not-idle') return
    settled.add(blocker.pid)
    onEvent?.(
      outcome === 'ended' ? { type: 'blocker-ended', blocker } : { type: 'blocker-kept', blocker, reason: outcome },
    )
  }
  return {
    during: async (work) => {
      const over = work.then(
        (failure) => (failure === undefined ? ('succeeded' as const) : ('failed' as const)),
        () => 'failed' as const,
      )
      const started = performance.now()
      let latest: readonly Blocker[] = []
      for (;;) {
        const found = await Promise.race([look(), over])
        if (found === 'succeeded') return latest
        if (found === 'failed') {
          const last = await Promise.race([look(), sleep(lastLook, [], { ref: false })])
          return last.length > 0 ? last : latest
        }
        if (found.length > 0) latest = found
        // What has been done to somebody is told before anything goes on.
        for (const blocker of found) await end(blocker)
        const wait = performance.now() - started < eagerness ? 20 : 1000
        if (await Promise.race([sleep(wait, false), over])) return latest
      }
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** Who is in the way, without what changes by itself: two that are the same need not be told twice. */
export function identityOf(blockers: readonly Blocker[]): string {
  return blockers
    .map(({ pid, prepared, state, queryStart }) => JSON.stringify([pid, prepared, state, queryStart]))
    .toSorted()
    .join('\n')
}

async function lookAt(connection: Connection, place: Place): Promise<readonly Blocker[]> {
  const rows = await connection.send(`${pinSearchPath}${selectBlockers(place)}`)
  return rows.map((row) => {
    const { statement, prepared, ...found } = v.parse(blockerSchema, JSON.parse(String(row['blocker'])))
    const hidden = statement === hiddenQuery
    return {
      ...found,
      ...(prepared !== undefined && { prepared }),
      ...(statement !== undefined && !hidden && { statement: recognizable(statement) }),
      hidden,
    }
  })
}

/** What the server shows instead of a query to who may not see it. */
const hiddenQuery = '<insufficient privilege>'

const blockerSchema = v.object({
  pid: v.exactOptional(v.number()),
  prepared: v.exactOptional(v.string()),
  user: v.exactOptional(v.string()),
  applicationName: v.exactOptional(v.string()),
  backendType: v.exactOptional(v.string()),
  state: v.exactOptional(v.string()),
  queryStart: v.exactOptional(v.string()),
  queryAgeMs: v.exactOptional(v.number()),
  transactionAgeMs: v.exactOptional(v.number()),
  stateAgeMs: v.exactOptional(v.number()),
  statement: v.exactOptional(v.string()),
  locks: v.array(v.object({ relation: v.string(), mode: v.string(), granted: v.boolean() })),
})

/**
 * Whoever keeps the holder of a history's lock from another one. `pg_blocking_pids` says 0 for a prepared transaction, whose locks
 * belong to no process: they are found by the lock that every transaction has on its own id.
 */
function selectBlockers(place: Place): string {
  return `with wanted as materialized (
  select *
  from pg_locks
  where pid = ${selectHistoryLockHolder(place)} and not granted
  limit 1
), blocker as materialized (
  select distinct unnest(pg_blocking_pids(pid)) as pid
  from wanted
), lock as materialized (
  select other.pid, other.virtualtransaction, other.mode, other.granted, other.relation::regclass::text as relation,
    -- Whoever waits for another's transaction is told what that has locked.
    wanted.locktype = 'relation' as is_same
  from wanted
  join pg_locks as other on other.locktype = 'relation' and case
    when wanted.locktype = 'relation' then other.relation = wanted.relation and other.database = wanted.database
    else other.granted and other.mode <> 'AccessShareLock'
      and other.database = (select oid from pg_database where datname = current_database())
      and other.relation in (select oid from pg_class where relkind in ('r', 'p', 'm') and oid >= 16384)
  end
)
select jsonb_strip_nulls(jsonb_build_object(
  'pid', blocker.pid,
  'user', usename,
  'applicationName', application_name,
  'backendType', backend_type,
  'state', state,
  'queryStart', ${selectTime('query_start')},
  'queryAgeMs', ${age('query_start')},
  'transactionAgeMs', ${age('xact_start')},
  'stateAgeMs', ${age('state_change')},
  'statement', left(query, 2000),
  'locks', (
    select coalesce(jsonb_agg(jsonb_build_object('relation', relation, 'mode', mode, 'granted', granted)), '[]')
    from (select * from lock where lock.pid = blocker.pid order by granted desc, relation, mode limit 5) as lock
  )
))::text as blocker
from blocker
left join pg_stat_activity as activity on activity.pid = blocker.pid
where blocker.pid <> 0
union all
select jsonb_strip_nulls(jsonb_build_object(
  'prepared', gid,
  'user', owner,
  'transactionAgeMs', ${age('prepared')},
  'locks', jsonb_agg(jsonb_build_object('relation', lock.relation, 'mode', lock.mode, 'granted', lock.granted) order by lock.relation, lock.mode)
))::text
from pg_prepared_xacts
join pg_locks as own on own.locktype = 'transactionid' and own.transactionid = transaction and own.pid is null
join lock on lock.virtualtransaction = own.virtualtransaction and lock.pid is null
where exists (select from blocker where blocker.pid = 0)
group by gid, owner, prepared
order by blocker`
}

/** An expression for how long ago something was, in milliseconds. */
function age(since: string): string {
  return `round(extract(epoch from clock_timestamp() - ${since}) * 1000)`
}

/**
 * Ends a session if it is idle in a transaction for that long, and in the way. Both are asked in the statement that ends it: it may have gone
 * on since we looked.
 * @returns `not-idle` when it was not, or why it was not ended
 */
async function endIdle(
  connection: Connection,
  place: Place,
  { pid, hidden }: Blocker,
  afterMs: number,
): Promise<'ended' | 'not-idle' | (string & {})> {
  if (hidden) return 'whether it is idle is hidden from this user; grant pg_monitor and pg_signal_backend to it'
  try {
    const [row] = await connection.send(`${pinSearchPath}select pg_terminate_backend(pid) as ended
from pg_stat_activity
where pid = ${pid} and state = 'idle in transaction'
  and clock_timestamp() - state_change >= interval '${afterMs} milliseconds'
  and pid = any (pg_blocking_pids(${selectHistoryLockHolder(place)}))`)
    return row?.['ended'] === true ? 'ended' : 'not-idle'
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `${reason}; grant pg_signal_backend to this user, where it may end the sessions of others`
  }
}
