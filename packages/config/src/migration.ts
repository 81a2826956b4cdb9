import type { TransactionSql } from 'postgres'

/** What the two sides of a revision in TypeScript are given. */
export interface MigrationContext {
  /**
   * postgres.js, connected to the revision's own database, in the transaction in which the revision is recorded. Has
   * `sql.savepoint` for what may fail; what would end the transaction is refused.
   */
  readonly sql: TransactionSql
  /** Says something, as a line of progress. */
  readonly log: (text: string) => void
  /** Says how many rows are done, and of how many, when that is known: people are shown the rate and the time left. */
  readonly progress: (done: number, total?: number) => void
  /** Aborted when somebody interrupts the run. Whoever throws then has changed nothing; whoever goes on to the end is not disturbed. */
  readonly signal: AbortSignal
}

/** What a `migration.ts` declares. Each side is one transaction, and is run again when it could not have a lock. */
export interface Migration {
  /** Applies the revision. */
  up(context: MigrationContext): Promise<void> | void
  /** Reverts it. Default: it cannot be reverted. */
  down?(context: MigrationContext): Promise<void> | void
}
