import { quoteLiteral } from '../sql/quote.ts'

/**
 * SQL that says whether the lock of a history was to be had, and keeps it to the end of the transaction. Every transaction
 * that changes the history holds it, so having it means that nobody is in the middle of a revision. Means the same whatever the
 * search_path.
 */
export function tryHistoryLock(history: string): string {
  return `pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended(${quoteLiteral(`drover/${history}/`)}, 0::bigint))`
}
