/**
 * Every way in which Drover can refuse or fail, as a closed set. The command line maps each code to an exit code, and
 * callers switch on codes, never on the text of a message.
 */
export type ProblemCode =
  // what was typed or configured
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'DATABASE_UNKNOWN'
  | 'TARGET_INVALID'
  | 'REVISION_UNKNOWN'
  | 'REVISION_AMBIGUOUS'
  | 'REVISIONS_RELATED'
  | 'RANGE_UNRELATED'
  | 'NOT_A_HEAD'
  | 'URL_MISSING'
  | 'URL_INVALID'
  | 'WRITE_FAILED'
  | 'PLAN_INVALID'
  // the files of a history
  | 'REVISION_INVALID'
  | 'DUPLICATE_ID'
  | 'DUPLICATE_LABEL'
  | 'MISSING_PARENT'
  | 'CYCLE'
  | 'HOOK_INVALID'
  // the Drizzle schema of a database, its snapshots, and the objects declared beside it
  | 'SCHEMA_INVALID'
  | 'SNAPSHOT_INVALID'
  | 'OBJECT_INVALID'
  | 'RENAME_AMBIGUOUS'
  | 'RENAME_UNKNOWN'
  | 'NAME_UNUSABLE'
  | 'SHADOW_FAILED'
  | 'CLONE_FAILED'
  | 'BRANCHES_CONFLICT'
  // the schema of a history in one file
  | 'SNAPSHOT_FAILED'
  | 'SNAPSHOT_UNUSED'
  | 'SNAPSHOT_STALE'
  | 'SNAPSHOT_DIFFERS'
  // tenants, which all have the history of one database
  | 'TENANT_INVALID'
  | 'TENANT_UNKNOWN'
  | 'TENANT_EXISTS'
  | 'TENANT_DIFFERS'
  | 'TENANTS_FAILED'
  | 'TENANTS_DIFFER'
  // a history that another tool has made
  | 'ADOPTION_REFUSED'
  // a history for another runner
  | 'EXPORT_REFUSED'
  // a server that is not there, or not for us
  | 'UNREACHABLE'
  | 'AUTHENTICATION_FAILED'
  | 'DATABASE_MISSING'
  | 'PRIVILEGE_MISSING'
  | 'SERVER_UNAVAILABLE'
  // histories and databases that disagree
  | 'SEVERAL_HEADS'
  | 'WALK_AMBIGUOUS'
  | 'WALK_TOO_FAR'
  | 'WRONG_BRANCH'
  | 'APPLIED_UNKNOWN'
  | 'APPLIED_EDITED'
  | 'APPLIED_REFORMATTED'
  | 'APPLIED_GAP'
  | 'UNFILLED'
  | 'OWN_TRANSACTION'
  | 'OUTSIDE_TRANSACTION'
  | 'IRREVERSIBLE'
  | 'NOT_APPLIED'
  | 'SAME_DATABASE'
  | 'LOCKED'
  | 'STATE_MOVED'
  | 'PLAN_STALE'
  | 'PENDING'
  | 'BACKFILL_UNFINISHED'
  | 'ELSEWHERE_UNKNOWN'
  | 'ELSEWHERE_PENDING'
  | 'ELSEWHERE_NEEDED'
  | 'ELSEWHERE_UNCHECKED'
  | 'NOT_CONFIRMED'
  | 'RESET_REFUSED'
  // what a check finds
  | 'NOT_UP_TO_DATE'
  | 'NOT_PROVED'
  | 'SCHEMA_CHANGED'
  | 'COLUMN_UNCLASSIFIED'
  | 'COLUMN_GONE'
  | 'DRIFT'
  | 'REHEARSAL_DIFFERS'
  | 'UNHEALTHY'
  | 'ACCESS_DIFFERS'
  | 'ACCESS_UNPROVED'
  | 'TABLE_MISSING'
  | 'UNSAFE'
  // a command that was to be started
  | 'PROGRAM_MISSING'
  | 'PROGRAM_UNUSABLE'
  | 'MIGRATIONS_SKIPPED'
  // while running
  | 'STATEMENT_FAILED'
  | 'MIGRATION_FAILED'
  | 'COMMAND_FAILED'
  | 'HOOK_FAILED'
  | 'CONNECTION_LOST'
  | 'LEASE_LOST'
  | 'HALF_DONE'
  | 'INTERRUPTED'
  | 'INTERNAL'

/** One thing that is wrong, as data: what, why, where, and what to type next. */
export interface Problem {
  readonly code: ProblemCode
  /** What is wrong, in one sentence that names the thing. */
  readonly message: string
  /** What to do about it; usually a command. `<database>` in it stands for the name of `database`. */
  readonly hint?: string
  readonly database?: string
  readonly revision?: string
  /** The file that is at fault, as a path from the workspace's root. */
  readonly file?: string
  /** Line in `file`, from 1. */
  readonly line?: number
  /** Column in `line`, from 1, in characters. */
  readonly column?: number
  /** The lines of `file` that are at fault behind their numbers, with a caret under the column, as a terminal shows them. */
  readonly excerpt?: readonly string[]
  /** The statement that failed, as it stands in the file. */
  readonly statement?: string
  /** PostgreSQL's five-character error code. */
  readonly sqlstate?: string
  /** What the server added: its DETAIL, HINT and CONTEXT lines; or what a program said that was run. */
  readonly serverNotes?: readonly string[]
  /** Process id of the server's session that is still at a statement whose runner is gone. */
  readonly pid?: number
  /** The slugs of the tenants that it is about. */
  readonly tenants?: readonly string[]
  /** Who holds the locks that were not to be had. */
  readonly blockers?: readonly Blocker[]
}

/** A session, or a transaction prepared for two-phase commit, that keeps a revision from a lock. */
export interface Blocker {
  /** Process id of the session's server process. `undefined` for a prepared transaction, which has none. */
  readonly pid?: number
  /** The name that a transaction was prepared under. */
  readonly prepared?: string
  readonly user?: string
  readonly applicationName?: string
  /** As in `pg_stat_activity`: `client backend`, `autovacuum worker`, … */
  readonly backendType?: string
  /** As in `pg_stat_activity`: `active`, `idle in transaction`, … */
  readonly state?: string
  /** When its last query began; ISO 8601. */
  readonly queryStart?: string
  /** In milliseconds, as are the others. */
  readonly queryAgeMs?: number
  readonly transactionAgeMs?: number
  /** How long it has been in this state. */
  readonly stateAgeMs?: number
  /** The beginning of its last query, on one line and without the text of its literals. */
  readonly statement?: string
  /** Whether the server shows its state and its query to nobody but members of `pg_read_all_stats`, which we are not. */
  readonly hidden: boolean
  /** Its locks on what we wait for. */
  readonly locks: readonly BlockingLock[]
}

/** A lock that is in the way. */
export interface BlockingLock {
  /** With its schema. */
  readonly relation: string
  /** As in `pg_locks`: `AccessShareLock`, … */
  readonly mode: string
  /** `false` for a session that waits for the lock itself, and is ahead of us. */
  readonly granted: boolean
}

/** The answer of a decision that cannot be made. */
export interface Refusal {
  readonly ok: false
  readonly problem: Problem
}

/** Says no, why, and what to type instead. */
export function refuse(code: ProblemCode, message: string, hint: string): Refusal {
  return { ok: false, problem: { code, message, hint } }
}

/**
 * The one error class of Drover. It carries problems: the first gives the error its code, all of them its message, a
 * line each. `cause` keeps what it was translated from.
 */
export class DroverError extends Error {
  readonly problems: readonly [Problem, ...(readonly Problem[])]

  constructor(problems: Problem | readonly [Problem, ...(readonly Problem[])], options?: ErrorOptions) {
    const list = isList(problems) ? problems : ([problems] as const)
    super(list.map((problem) => problem.message).join('\n'), options)
    this.name = 'DroverError'
    this.problems = list
  }

  /** The code of the first problem. */
  get code(): ProblemCode {
    return this.problems[0].code
  }
}

/**
 * Throws when there is anything to throw.
 * @throws {DroverError} with all the problems, when there is at least one
 */
export function throwProblems(problems: readonly Problem[]): void {
  const [first, ...rest] = problems
  if (first) throw new DroverError([first, ...rest])
}

function isList(
  value: Problem | readonly [Problem, ...(readonly Problem[])],
): value is readonly [Problem, ...Problem[]] {
  return Array.isArray(value)
}
