import { quoteLiteral } from '../sql/quote.ts'
import type { Place } from '../store/place.ts'

/**
 * SQL that says whether the lock of a history, or of one target of it, was to be had, and keeps it to the end of the transaction. Every transaction
 * that changes the history holds it, so having it means that nobody is in the middle of a revision. Means the same whatever the
 * search_path.
 */
export function tryHistoryLock(place: Place): string {
  return `pg_catalog.pg_try_advisory_xact_lock(${keyOf(place)})`
}

/** The statement that keeps the lock of a history, which is to be had, for as long as the session lasts. Never over a pooler. */
export function holdHistoryLock(place: Place): string {
  return `select pg_catalog.pg_advisory_lock(${keyOf(place)})`
}

/** An expression for the process id of whoever holds the lock of a history, `null` when nobody does. Wants the search_path pinned. */
export function selectHistoryLockHolder(place: Place): string {
  return `(
  select min(pid)
  from pg_locks
  where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = ${keyOf(place)}
)`
}

function keyOf({ history, target = '' }: Place): string {
  return `pg_catalog.hashtextextended(${quoteLiteral(`drover/${history}/${target}`)}, 0::bigint)`
}
