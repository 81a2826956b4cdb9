import type { FinishedStep, LeaseHolder, SchemaSnapshot, StepEvent } from '@drover/engine'
import type { Problem, Step } from '@drover/history'

import type { HookEvent, HookOutcome } from '../hooks/run-hooks.ts'
import type { TenantsEvent, TenantsOutcome } from '../tenants/outcome.ts'
import type { DatabasePlan } from './plan-release.ts'

/** What happens during a release: on one of its databases, or in a hook of the run as a whole. */
export type ReleaseEvent = DatabaseEvent | ({ readonly database?: undefined } & HookEvent)

/** What happens on a database. */
type DatabaseEvent = { readonly database: string } & (
  | { readonly type: 'lease-waiting'; readonly holder: LeaseHolder }
  | { readonly type: 'database-started'; readonly steps: number }
  /** Nothing more is done on it, but for a rollback. */
  | {
      readonly type: 'database-finished'
      readonly outcome: DatabaseOutcome['end']
      readonly step?: Step | undefined
      readonly problem?: Problem
    }
  /** It has failed, and the others that are being worked on are told to stop. */
  | { readonly type: 'others-stopping'; readonly others: readonly string[] }
  | { readonly type: 'rollback-started'; readonly steps: number }
  /** The command of a database that migrates itself. */
  | { readonly type: 'command-started'; readonly command: readonly string[] }
  | { readonly type: 'command-output'; readonly line: string }
  | { readonly type: 'command-finished'; readonly command: readonly string[]; readonly durationMs: number }
  | StepEvent
  | HookEvent
  | TenantsEvent
)

/** How a release went. */
export interface ReleaseOutcome {
  /** Of each database of the plan, in its order; failures are outcomes. */
  readonly databases: readonly DatabaseOutcome[]
  /** The hooks of the run as a whole that were run. */
  readonly hooks: readonly HookOutcome[]
  /** What one of them has failed of, before or behind all databases. */
  readonly problem?: Problem
}

/** How it went on one database. */
export interface DatabaseOutcome {
  readonly plan: DatabasePlan
  /** `stopped`: some of its steps were done, and the others were not tried because another database failed. */
  readonly end: 'nothing-to-do' | 'done' | 'failed' | 'interrupted' | 'stopped' | 'not-tried'
  /** The name of the database whose failure it was `stopped` by. */
  readonly stoppedBy?: string
  readonly finished: readonly FinishedStep[]
  /** What was loaded instead of running the first of them. Missing where nothing was. */
  readonly loaded?: SchemaSnapshot
  /** The hooks that were run. */
  readonly hooks: readonly HookOutcome[]
  /** Steps that somebody else's run had done before ours came to them. */
  readonly doneElsewhere: readonly Step[]
  /** The step is missing when the run could not even be begun. */
  readonly failed?: { readonly step: Step | undefined; readonly problem: Problem }
  readonly notTried: readonly Step[]
  /** How it went on its tenants. Missing where none was looked at. */
  readonly tenants?: TenantsOutcome
  /** What was undone of `finished`, when a release that failed was rolled back, and why it ended there, if it did. */
  readonly rolledBack?: { readonly finished: readonly FinishedStep[]; readonly problem?: Problem }
}
