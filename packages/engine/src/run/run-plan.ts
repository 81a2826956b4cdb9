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
import { observedMarker, observeScript, type ScriptObserver, type StepObservation } from './observe.ts'
import { runBatches } from './run-batches.ts'
import type { RunLimits } from './run-limits.ts'
import { runOutside } from './run-outside.ts'
import { runOwn } from './run-own.ts'
import { type FinishedScript, runApart, runTogether, type ScriptsOutcome } from './run-scripts.ts'
import type { StatementProgress } from './statement-progress.ts'
import type { FinishedStatement } from './statement-times.ts'
import type { SchemaSnapshot } from '../snapshot/snapshot-file.ts'

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
  /** Several revisions were applied at once, by the schema that they build. */
  | {
      readonly type: 'snapshot-loaded'
      readonly file: string
      readonly revisions: readonly string[]
      readonly durationMs: number
    }

/** What has a transaction of its own in a run. */
export type TransactionScope = 'per-revision' | 'all'

/** What a plan is run with. */
export interface PlanRun extends RunLimits {
  readonly history: History
  readonly run: Run
  /** The lease of that run. Default: it needs none, because what is applied before and after each revision keeps others out. */
  readonly lease?: Pick<Lease, 'token' | 'fence'> | undefined
  /**
   * Whether others may change the same history without that lease. Then no revisions share a message: only the first of one looks at what
   * is applied. Default `false`, and as if `true` without a lease.
   */
  readonly isShared?: boolean | undefined
  /** In the order in which they run. */
  readonly scripts: readonly Script[]
  /** What is loaded, in one transaction, instead of the first of them, which are those that it stands for. Default: nothing. */
  readonly snapshot?: SchemaSnapshot | undefined
  /** `all`: one transaction for all of them but those of the snapshot, so that a failure leaves nothing. Default `per-revision`. */
  readonly transaction?: TransactionScope | undefined
  /** Whether a revision that is half done is gone on with; otherwise it is refused. Default `false`. */
  readonly resume?: boolean | undefined
  /** Once aborted, the revision that is running is finished, and no other is begun. */
  readonly signal?: AbortSignal | undefined
  /** Once aborted, the statement that is running is cancelled on the server. To be aborted after `signal`. */
  readonly cancel?: AbortSignal | undefined
  /** Where the code of revisions in TypeScript runs, without which none can be run. */
  readonly surroundings?: Pick<Surroundings, 'root' | 'environment'>
  readonly onEvent?: ((event: StepEvent) => void) | undefined
  /**
   * Whether `statement-finished` is told of statements in transactions as well, before the revision is. The server looks at its clock
   * for each of them then. Default `false`.
   */
  readonly timesStatements?: boolean | undefined
  /**
   * Called with what was observed of each step that was tried: how long its statements took, and what they locked. Looking takes time
   * itself, and every step has a message of its own then: this is for throw-away databases. Default: nobody looks.
   */
  readonly onObserved?: ((observation: StepObservation) => void) | undefined
  /** The schemas in which names are looked for, where that is not for the database to say. */
  readonly searchPath?: readonly string[] | undefined
  /** Statements that prepare the place for the first of the scripts, in one transaction with it. Default: none. */
  readonly opening?: string | undefined
}

/**
 * Runs scripts in order, each revision in a transaction of its own together with the record of it, or statement by statement when it
 * says so, and stops at the first that fails. Quick ones share messages. Never throws for what the server says: the outcome
 * tells what was done, what failed and what was not tried.
 */
export async function runPlan(connection: Connection, plan: PlanRun): Promise<PlanOutcome> {
  const { scripts, lease, isShared = lease === undefined, signal, cancel, onEvent } = plan
  const fence = fenceOf(lease)
  const endStatement = () => void connection.cancel()
  cancel?.addEventListener('abort', endStatement, { once: true })
  const finished: FinishedStep[] = []
  const report = ({ script, durationMs, statements }: FinishedScript, index: number) => {
    const step = { ...toStep(script), durationMs }
    if (index > 0) onEvent?.({ type: 'step-started', step: toStep(script) })
    for (const one of statements) onEvent?.({ type: 'statement-finished', step: toStep(script), ...one })
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
    if (plan.snapshot) {
      const end = await loadFirst(connection, plan.snapshot, plan, finished)
      if (end) return ended(end)
    }
    for (let size = 1; finished.length < scripts.length;) {
      if (signal?.aborted) return ended({ kind: 'interrupted' })
      const next =
        plan.transaction === 'all'
          ? scripts.slice(finished.length)
          : takeGroup(scripts, finished.length, plan.onObserved || isShared ? 1 : size)
      onEvent?.({ type: 'step-started', step: toStep(next[0]!) })
      const observer = plan.onObserved && (await observeScript(connection, next[0]!))
      const options = { fence, ...patienceFor(connection, next[0]!, plan, observer) }
      const context = contextOf(finished.length === 0 ? plan : { ...plan, opening: undefined })
      const outcome =
        next.length > 1 && plan.transaction !== 'all'
          ? await runApart(connection, next, context, options)
          : await runInOne(connection, next, context, options, plan, observer)
      if (observer) plan.onObserved?.(await observer.end())
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

/**
 * Loads a snapshot instead of the first scripts.
 * @param finished where they are added to
 * @returns how the plan ended, if it did
 */
async function loadFirst(
  connection: Connection,
  snapshot: SchemaSnapshot,
  plan: PlanRun,
  finished: FinishedStep[],
): Promise<Exclude<PlanOutcome['end'], { readonly kind: 'succeeded' }> | undefined> {
  if (plan.signal?.aborted) return { kind: 'interrupted' }
  // Its code is loaded where there is a snapshot to be loaded.
  const { loadSnapshot } = await import('../snapshot/load-snapshot.ts')
  const scripts = plan.scripts.slice(0, snapshot.revisions.length)
  const options = { fence: fenceOf(plan.lease), ...patienceFor(connection, scripts[0]!, plan) }
  const started = performance.now()
  const outcome = await loadSnapshot(connection, { snapshot, scripts }, contextOf(plan), options)
  if (outcome.kind === 'interrupted') return outcome
  if (outcome.kind === 'failed') {
    if (plan.cancel?.aborted && outcome.problem.sqlstate === '57014') return { kind: 'interrupted' }
    return { kind: 'failed', step: undefined, problem: outcome.problem }
  }
  finished.push(...outcome.finished.map(({ script, durationMs }) => ({ ...toStep(script), durationMs })))
  const revisions = scripts.map(({ revision }) => revision.id)
  const durationMs = performance.now() - started
  plan.onEvent?.({ type: 'snapshot-loaded', file: snapshot.file, revisions, durationMs })
  return undefined
}

/** Runs what stands alone: one script, in its own way, or all of them in one transaction. */
async function runInOne(
  connection: Connection,
  scripts: readonly Script[],
  context: MessageContext,
  options: Parameters<typeof runTogether>[3],
  plan: PlanRun,
  observer?: ScriptObserver,
): Promise<ScriptsOutcome> {
  const [script] = scripts
  if (!script || isPlain(script)) return runTogether(connection, scripts, context, options)
  const started = performance.now()
  const problem = await runAlone(connection, script, context, options, plan, observer)
  if (problem === 'interrupted') return { finished: [], end: { kind: 'interrupted' } }
  if (problem === 'again') return { finished: [], end: { kind: 'again', most: 1 } }
  if (problem) return { finished: [], end: { kind: 'failed', script, problem } }
  return { finished: [{ script, durationMs: performance.now() - started, statements: [] }], end: { kind: 'succeeded' } }
}

/** Runs a script that is more than one transaction of SQL, or something else. */
async function runAlone(
  connection: Connection,
  script: Script,
  context: MessageContext,
  options: Parameters<typeof runTogether>[3],
  plan: PlanRun,
  observer?: ScriptObserver,
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
        onStatement: (finished) => {
          observer?.onStatement(finished)
          plan.onEvent?.({ type: 'statement-finished', step: toStep(script), ...finished })
        },
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

/** Without a lease there is nothing that could be taken away from what was sent. */
function fenceOf(lease: PlanRun['lease']): () => Promise<void> {
  return async () => lease?.fence()
}

function contextOf({
  history,
  run,
  lease,
  lockTimeoutMs = 100,
  statementTimeoutMs = 0,
  onObserved,
  timesStatements,
  searchPath,
  opening,
}: PlanRun): MessageContext {
  const mark = onObserved && observedMarker
  const limits = { lockTimeoutMs, statementTimeoutMs }
  return { history, run, token: lease?.token, ...limits, mark, timed: timesStatements, searchPath, opening }
}

function patienceFor(connection: Connection, script: Script, plan: PlanRun, observer?: ScriptObserver): Patience {
  const { run, signal, lockAttempts, killBlockersAfterMs, onEvent } = plan
  const step = toStep(script)
  return {
    signal,
    attempts: lockAttempts,
    watch: {
      url: connection.url,
      place: run,
      killAfterMs: killBlockersAfterMs,
      onEvent: (event) => onEvent?.({ step, ...event }),
    },
    onRetry: (attempt, reason) => {
      observer?.onRetry()
      onEvent?.({ type: 'step-retried', step, attempt, reason })
    },
    ...(observer && { onRow: observer.onRow }),
  }
}

function toStep({ direction, revision }: Step): Step {
  return { direction, revision }
}
