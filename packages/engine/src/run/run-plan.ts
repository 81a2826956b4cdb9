import type { History, Problem, Step } from '@drover/history'

import { type CodeEvent, runCode } from '../code/run-code.ts'
import type { ModuleProgress } from '../code/protocol.ts'
import type { Surroundings } from '../code/run-module.ts'
import type { Connection } from '../connect/connection.ts'
import type { Lease } from '../lease/lease.ts'
import { batchOf } from '../source/batch.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import type { Patience, RetryReason } from './attempt.ts'
import { isPlain, nextSize, takeGroup } from './group-size.ts'
import type { BlockerEvent } from './blockers.ts'
import type { MessageContext } from './message.ts'
import { runBatches } from './run-batches.ts'
import type { RunLimits } from './run-limits.ts'
import { type FinishedStatement, runOutside } from './run-outside.ts'
import { runOwn } from './run-own.ts'
import { type FinishedScript, runApart, runTogether, type ScriptsOutcome } from './run-scripts.ts'
import type { StatementProgress } from './statement-progress.ts'

/** A step that was carried out. */
export interface FinishedStep extends Step {
  /** In milliseconds. */
  readonly durationMs: number
}

/** How the run of a plan on one database ended. What is finished is on the server's disk; what is not, and did not fail, was not tried. */
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
  | ({ readonly step: Step } & BlockerEvent)
  | CodeEvent
  | ({ readonly type: 'step-progress'; readonly step: Step } & StatementProgress)
  | ({ readonly type: 'statement-finished'; readonly step: Step } & FinishedStatement)
  | { readonly type: 'step-finished'; readonly step: FinishedStep }

/** What has a transaction of its own in a run. */
export type TransactionScope = 'per-revision' | 'all'

/** What a plan is run with. */
export interface PlanRun extends RunLimits {
  readonly history: History
  readonly run: Run
  /** The lease of that run. */
  readonly lease: Pick<Lease, 'token' | 'fence'>
  /** In the order in which they run. */
  readonly scripts: readonly Script[]
  /** `all`: one transaction for all of them, so that a failure leaves nothing. Default `per-revision`. */
  readonly transaction?: TransactionScope | undefined
  /** Whether a revision that is half done is gone on with; otherwise it is refused. Default `false`. */
  readonly resume?: boolean | undefined
  /** Once aborted, the revision that is running is finished, and no other is begun. */
  readonly signal?: AbortSignal | undefined
  /** Once aborted, the statement that is running is cancelled on the server. To be aborted after `signal`. */
  readonly cancel?: AbortSignal | undefined
  /** Where the code of revisions in TypeScript runs, without which none can be run. */
  readonly surroundings?: Pick<Surroundings, 'root' | 'environment'>
  readonly onEvent?: (event: StepEvent) => void
}

/**
 * Runs scripts in order, each revision in a transaction of its own together with the record of it, or statement by statement when it
 * says so, and stops at the first that fails. Quick ones share messages. Never throws for what the server says: the outcome
 * tells what was done, what failed and what was not tried.
 */
export async function runPlan(connection: Connection, plan: PlanRun): Promise<PlanOutcome> {
  const { scripts, lease, signal, cancel, onEvent } = plan
  const fence = () => lease.fence()
  const endStatement = () => void connection.cancel()
  cancel?.addEventListener('abort', endStatement, { once: true })
  const finished: FinishedStep[] = []
  const report = ({ script, durationMs }: FinishedScript, index: number) => {
    const step = { ...toStep(script), durationMs }
    if (index > 0) onEvent?.({ type: 'step-started', step: toStep(script) })
    finished.push(step)
    onEvent?.({ type: 'step-finished', step })
  }
  const ended = (end: PlanOutcome['end'], failed?: Script): PlanOutcome => ({
    finished,
    end,
    notTried: scripts
      .slice(finished.length)
      .filter((script) => script !== failed)
      .map(toStep),
  })
  try {
    for (let size = 1; finished.length < scripts.length;) {
      if (signal?.aborted) return ended({ kind: 'interrupted' })
      const next = plan.transaction === 'all' ? scripts : takeGroup(scripts, finished.length, size)
      onEvent?.({ type: 'step-started', step: toStep(next[0]!) })
      const options = { fence, ...patienceFor(connection, next[0]!, plan) }
      const context = contextOf(plan)
      const isShared = next.length > 1 && plan.transaction !== 'all'
      const outcome = isShared
        ? await runApart(connection, next, context, options)
        : await runInOne(connection, next, context, options, plan)
      outcome.finished.forEach(report)
      const spentMs = outcome.finished.reduce((sum, { durationMs }) => sum + durationMs, 0)
      size = nextSize(size, { count: outcome.finished.length, spentMs })
      const { end } = outcome
      if (end.kind === 'again') size = end.most
      if (end.kind === 'interrupted') return ended(end)
      if (end.kind !== 'failed') continue
      const { script, problem } = end
      // Nothing of what was running is kept.
      const isUndone = isPlain(script) || batchOf(script) !== undefined
      if (cancel?.aborted && problem.sqlstate === '57014' && isUndone) return ended({ kind: 'interrupted' })
      return ended({ kind: 'failed', step: toStep(script), problem }, script)
    }
    return ended({ kind: 'succeeded' })
  } finally {
    cancel?.removeEventListener('abort', endStatement)
  }
}

/** Runs what stands alone: one script, in its own way, or all of them in one transaction. */
async function runInOne(
  connection: Connection,
  scripts: readonly Script[],
  context: MessageContext,
  options: Parameters<typeof runTogether>[3],
  plan: PlanRun,
): Promise<ScriptsOutcome> {
  const [script] = scripts
  if (!script || isPlain(script)) return runTogether(connection, scripts, context, options)
  const started = performance.now()
  const problem = await runAlone(connection, script, context, options, plan)
  if (problem === 'interrupted') return { finished: [], end: { kind: 'interrupted' } }
  if (problem === 'again') return { finished: [], end: { kind: 'again', most: 1 } }
  if (problem) return { finished: [], end: { kind: 'failed', script, problem } }
  return { finished: [{ script, durationMs: performance.now() - started }], end: { kind: 'succeeded' } }
}

/** Runs a script that is more than one transaction of SQL, or something else. */
async function runAlone(
  connection: Connection,
  script: Script,
  context: MessageContext,
  options: Parameters<typeof runTogether>[3],
  plan: PlanRun,
): Promise<Problem | 'interrupted' | 'again' | undefined> {
  const batch = batchOf(script)
  if (batch) {
    const onProgress = (progress: ModuleProgress) =>
      plan.onEvent?.({ type: 'step-progress', step: toStep(script), ...progress })
    return runBatches(connection, script, batch, context, { ...options, onProgress })
  }
  if (script.revision.transaction === 'own') {
    return runOwn(connection, script, context, { ...options, resume: plan.resume ?? false })
  }
  return script.revision.language === 'typescript'
    ? runCode(connection, script, context, { ...options, ...surroundingsFor(script, plan) })
    : runOutside(connection, script, context, {
        ...options,
        resume: plan.resume ?? false,
        onStatement: (finished) => plan.onEvent?.({ type: 'statement-finished', step: toStep(script), ...finished }),
        onProgress: (progress) => plan.onEvent?.({ type: 'step-progress', step: toStep(script), ...progress }),
      })
}

function surroundingsFor(script: Script, { surroundings, cancel, onEvent }: PlanRun): Surroundings {
  if (!surroundings) throw new Error('a revision in TypeScript needs the surroundings of its code')
  const step = toStep(script)
  return {
    ...surroundings,
    cancel,
    onLine: (line) => onEvent?.({ type: 'step-output', step, line }),
    onProgress: (progress) => onEvent?.({ type: 'step-progress', step, ...progress }),
  }
}

function contextOf({ history, run, lease, lockTimeoutMs = 100, statementTimeoutMs = 0 }: PlanRun): MessageContext {
  return { history, run, token: lease.token, lockTimeoutMs, statementTimeoutMs }
}

function patienceFor(connection: Connection, script: Script, plan: PlanRun): Patience {
  const { run, signal, lockAttempts, killBlockersAfterMs, onEvent } = plan
  const step = toStep(script)
  return {
    signal,
    attempts: lockAttempts,
    watch: {
      url: connection.url,
      history: run.history,
      killAfterMs: killBlockersAfterMs,
      onEvent: (event) => onEvent?.({ step, ...event }),
    },
    onRetry: (attempt, reason) => onEvent?.({ type: 'step-retried', step, attempt, reason }),
  }
}

function toStep({ direction, revision }: Step): Step {
  return { direction, revision }
}
