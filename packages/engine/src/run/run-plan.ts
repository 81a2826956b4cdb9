import type { History, Problem, Step } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import { describeFailure, type Patience, type RetryReason, sendPatiently } from './attempt.ts'
import { type MessageContext, writeMessage } from './message.ts'
import { runOutside } from './run-outside.ts'

/** A step that was carried out. */
export interface FinishedStep extends Step {
  /** From sending to the answer, in milliseconds. */
  readonly durationMs: number
}

/** How the run of a plan on one database ended. What is not finished and did not fail was not tried. */
export interface PlanOutcome {
  readonly finished: readonly FinishedStep[]
  readonly end:
    | { readonly kind: 'succeeded' }
    | { readonly kind: 'interrupted' }
    // The step is missing when the run could not even be begun.
    | { readonly kind: 'failed'; readonly step: Step | undefined; readonly problem: Problem }
  readonly notTried: readonly Step[]
}

/** What happens while a plan runs. */
export type StepEvent =
  | { readonly type: 'step-started'; readonly step: Step }
  | {
      readonly type: 'step-retried'
      readonly step: Step
      readonly attempt: number
      readonly reason: RetryReason
    }
  | { readonly type: 'step-finished'; readonly step: FinishedStep }

/** What a plan is run with. */
export interface PlanRun {
  readonly history: History
  readonly run: Run
  readonly token: string
  /** In the order in which they run. */
  readonly scripts: readonly Script[]
  /** In milliseconds. A lock that is not to be had in this time ends the attempt. Default 100. */
  readonly lockTimeoutMs?: number
  /** In milliseconds. Default 0: no limit. */
  readonly statementTimeoutMs?: number
  /** Whether a revision that is half done is gone on with; otherwise it is refused. Default `false`. */
  readonly resume?: boolean
  /** Once aborted, the revision that is running is finished, and no other is begun. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: StepEvent) => void
}

/**
 * Runs scripts in order, each revision in a transaction of its own together with the record of it, or statement by statement
 * when it says so, and stops at the first that fails. Never throws for what the server says: the outcome tells what was done, what failed and what was not tried.
 */
export async function runPlan(connection: Connection, plan: PlanRun): Promise<PlanOutcome> {
  const finished: FinishedStep[] = []
  const context: MessageContext = {
    history: plan.history,
    run: plan.run,
    token: plan.token,
    lockTimeoutMs: plan.lockTimeoutMs ?? 100,
    statementTimeoutMs: plan.statementTimeoutMs ?? 0,
  }
  for (const [index, script] of plan.scripts.entries()) {
    if (plan.signal?.aborted)
      return { finished, end: { kind: 'interrupted' }, notTried: plan.scripts.slice(index).map(toStep) }
    const step = toStep(script)
    plan.onEvent?.({ type: 'step-started', step })
    const started = performance.now()
    const problem = await runScript(connection, script, context, plan)
    if (problem === 'interrupted')
      return { finished, end: { kind: 'interrupted' }, notTried: plan.scripts.slice(index).map(toStep) }
    if (problem) {
      return { finished, end: { kind: 'failed', step, problem }, notTried: plan.scripts.slice(index + 1).map(toStep) }
    }
    const done = { ...step, durationMs: performance.now() - started }
    finished.push(done)
    plan.onEvent?.({ type: 'step-finished', step: done })
  }
  return { finished, end: { kind: 'succeeded' }, notTried: [] }
}

async function runScript(
  connection: Connection,
  script: Script,
  context: MessageContext,
  plan: PlanRun,
): Promise<Problem | 'interrupted' | undefined> {
  const patience: Patience = {
    signal: plan.signal,
    onRetry: (attempt, reason) => plan.onEvent?.({ type: 'step-retried', step: toStep(script), attempt, reason }),
  }
  if (script.revision.transaction === 'none') {
    return runOutside(connection, script, context, { ...patience, resume: plan.resume ?? false })
  }
  const message = writeMessage(script, context)
  const failure = await sendPatiently(connection, message, patience)
  return failure === undefined || failure === 'interrupted' ? failure : describeFailure(script, message, failure)
}

function toStep({ direction, revision }: Step): Step {
  return { direction, revision }
}
