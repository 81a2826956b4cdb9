import { quoteLiteral } from '../sql/quote.ts'

/**
 * SQL that says whether the lock of a history was to be had, and keeps it to the end of the transaction. Every transaction
 * that changes the history holds it, so having it means that nobody is in the middle of a revision.
 */
export function tryHistoryLock(history: string): string {
  return `pg_try_advisory_xact_lock(hashtextextended('drover/' || ${quoteLiteral(history)} || '/', 0))`
}
