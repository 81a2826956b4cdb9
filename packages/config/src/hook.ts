import type { TransactionSql } from 'postgres'

/** What has gone wrong, as far as hooks are told. Without any secret. */
export interface HookProblem {
  /** Which kind it is, from the closed set that `--json` has. */
  readonly code: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  readonly database?: string
  readonly revision?: string
  /** Path from the workspace's root. */
  readonly file?: string
  readonly line?: number
  readonly sqlstate?: string
}

/** What every hook in TypeScript is given. */
interface CommonContext {
  /** `upgrade`, `downgrade` or `init`. */
  readonly command: string
  readonly direction: 'up' | 'down'
  /** Says something, as a line of progress. */
  readonly log: (text: string) => void
  /** Aborted when somebody interrupts the run. */
  readonly signal: AbortSignal
}

/** What a hook of a database is given. */
export interface HookContext extends CommonContext {
  /** The name of the database. */
  readonly database: string
  /** postgres.js, connected to the database as its owner, in one transaction that ends with the hook. */
  readonly sql: TransactionSql
  /** What has failed, where the hook runs because of that. */
  readonly problem?: HookProblem
}

/** What a hook of a run as a whole is given. */
export interface RunHookContext extends CommonContext {
  /** What has failed, where the hook runs because of that. */
  readonly problems?: readonly HookProblem[]
}

/** What a file in `hooks` of `database.ts` exports. It is run again when it could not have a lock. */
export interface Hook {
  run(context: HookContext): Promise<void> | void
}

/** What a file in `hooks` of `drover.config.ts` exports. */
export interface RunHook {
  run(context: RunHookContext): Promise<void> | void
}
