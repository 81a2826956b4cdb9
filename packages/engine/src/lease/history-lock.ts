import { quoteLiteral } from '../sql/quote.ts'

/**
 * SQL that says whether the lock of a history was to be had, and keeps it to the end of the transaction. Every transaction
 * that changes the history holds it, so having it means that nobody is in the middle of a revision. Means the same whatever the
 * search_path.
 */
export function tryHistoryLock(history: string): string {
  return `pg_catalog.pg_try_advisory_xact_lock(${keyOf(history)})`
}

/** The statement that keeps the lock of a history, which is to be had, for as long as the session lasts. Never over a pooler. */
export function holdHistoryLock(history: string): string {
  return `select pg_catalog.pg_advisory_lock(${keyOf(history)})`
}

/** An expression for the process id of whoever holds the lock of a history, `null` when nobody does. Wants the search_path pinned. */
export function selectHistoryLockHolder(history: string): string {
  return `(
  select min(pid)
  from pg_locks
  where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = ${keyOf(history)}
)`
}

function keyOf(history: string): string {
  return `pg_catalog.hashtextextended(${quoteLiteral(`drover/${history}/`)}, 0::bigint)`
}
