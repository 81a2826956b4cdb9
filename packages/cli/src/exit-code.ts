import type { Problem, ProblemCode } from '@drover/history'

/** What the process tells whoever called it; docs/reference/cli.md lists them. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130 | 143

/** The one table from what is wrong to the exit code. */
const exitCodes: Readonly<Record<ProblemCode, ExitCode>> = {
  USAGE: 2,
  CONFIG_INVALID: 2,
  DATABASE_UNKNOWN: 2,
  TARGET_INVALID: 2,
  REVISION_UNKNOWN: 2,
  REVISION_AMBIGUOUS: 2,
  URL_MISSING: 2,
  URL_INVALID: 2,
  WRITE_FAILED: 2,
  PLAN_INVALID: 2,
  REVISION_INVALID: 2,
  DUPLICATE_ID: 2,
  DUPLICATE_LABEL: 2,
  MISSING_PARENT: 2,
  CYCLE: 2,
  HOOK_INVALID: 2,
  SCHEMA_INVALID: 2,
  SNAPSHOT_INVALID: 2,
  OBJECT_INVALID: 2,
  RENAME_AMBIGUOUS: 2,
  RENAME_UNKNOWN: 2,
  NAME_UNUSABLE: 2,
  SHADOW_FAILED: 3,
  BRANCHES_CONFLICT: 3,
  ADOPTION_REFUSED: 3,
  UNREACHABLE: 2,
  AUTHENTICATION_FAILED: 2,
  DATABASE_MISSING: 2,
  PRIVILEGE_MISSING: 2,
  SERVER_UNAVAILABLE: 2,
  SAME_DATABASE: 2,
  SEVERAL_HEADS: 3,
  WALK_AMBIGUOUS: 3,
  WALK_TOO_FAR: 3,
  WRONG_BRANCH: 2,
  RANGE_UNRELATED: 2,
  REVISIONS_RELATED: 2,
  NOT_A_HEAD: 2,
  APPLIED_UNKNOWN: 3,
  APPLIED_EDITED: 3,
  APPLIED_REFORMATTED: 3,
  APPLIED_GAP: 3,
  UNFILLED: 3,
  OWN_TRANSACTION: 3,
  OUTSIDE_TRANSACTION: 3,
  IRREVERSIBLE: 3,
  NOT_APPLIED: 3,
  LOCKED: 3,
  STATE_MOVED: 3,
  PLAN_STALE: 3,
  BACKFILL_UNFINISHED: 3,
  ELSEWHERE_UNKNOWN: 2,
  ELSEWHERE_PENDING: 3,
  ELSEWHERE_NEEDED: 3,
  ELSEWHERE_UNCHECKED: 3,
  NOT_CONFIRMED: 3,
  NOT_UP_TO_DATE: 4,
  PENDING: 4,
  NOT_PROVED: 4,
  SCHEMA_CHANGED: 4,
  COLUMN_UNCLASSIFIED: 4,
  COLUMN_GONE: 4,
  DRIFT: 4,
  ACCESS_DIFFERS: 4,
  ACCESS_UNPROVED: 4,
  STATEMENT_FAILED: 1,
  MIGRATION_FAILED: 1,
  COMMAND_FAILED: 1,
  HOOK_FAILED: 1,
  CONNECTION_LOST: 1,
  LEASE_LOST: 1,
  HALF_DONE: 3,
  INTERRUPTED: 130,
  INTERNAL: 1,
}

/**
 * The exit code for problems that kept a command from doing anything: the most basic one wins, because a disagreement
 * between histories cannot be judged while a file or a URL is wrong.
 */
export function exitCodeOf(problems: readonly Problem[]): ExitCode {
  const codes = new Set(problems.map((problem) => exitCodes[problem.code]))
  for (const code of [130, 2, 3, 1, 4] as const) if (codes.has(code)) return code
  return 1
}
