import type { FinishedStep, LeaseHolder, StepEvent } from '@drover/engine'
import type { Problem, Step } from '@drover/history'

import type { DatabasePlan } from './plan-release.ts'

/** What happens during a release. */
export type ReleaseEvent = { readonly database: string } & (
  | { readonly type: 'lease-waiting'; readonly holder: LeaseHolder }
  | { readonly type: 'database-started'; readonly steps: number }
  | { readonly type: 'rollback-started'; readonly steps: number }
  /** The command of a database that migrates itself. */
  | { readonly type: 'command-started'; readonly command: readonly string[] }
  | { readonly type: 'command-output'; readonly line: string }
  | { readonly type: 'command-finished'; readonly command: readonly string[]; readonly durationMs: number }
  | StepEvent
)

/** How it went on one database. */
export interface DatabaseOutcome {
  readonly plan: DatabasePlan
  /** `stopped`: some of its steps were done, and the others were not tried because another database failed. */
  readonly end: 'nothing-to-do' | 'done' | 'failed' | 'interrupted' | 'stopped' | 'not-tried'
  readonly finished: readonly FinishedStep[]
  /** Steps that somebody else's run had done before ours came to them. */
  readonly doneElsewhere: readonly Step[]
  /** The step is missing when the run could not even be begun. */
  readonly failed?: { readonly step: Step | undefined; readonly problem: Problem }
  readonly notTried: readonly Step[]
  /** What was undone of `finished`, when a release that failed was rolled back, and why it ended there, if it did. */
  readonly rolledBack?: { readonly finished: readonly FinishedStep[]; readonly problem?: Problem }
}
