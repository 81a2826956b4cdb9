import { setTimeout as sleep } from 'node:timers/promises'

import { DroverError, type History, nameRevision, type Problem, type Step } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { describeStatementError, sqlstateOf } from '../diagnose/statement-error.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import { guardStates } from './guard.ts'
import { type Message, type MessageContext, writeMessage } from './message.ts'

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
      readonly reason: 'lock-timeout' | 'deadlock' | 'busy'
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
  /** Once aborted, the revision that is running is finished, and no other is begun. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: StepEvent) => void
}

/** How often a revision is tried when it cannot have a lock. */
const mostAttempts = 30

/**
 * Runs scripts in order, each revision in a transaction of its own together with the record of it, and stops at the
 * first that fails. Never throws for what the server says: the outcome tells what was done, what failed and what was not tried.
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
  const message = writeMessage(script, context)
  for (let attempt = 1; ; attempt += 1) {
    const failure = await sendOnce(connection, message)
    if (!failure) return undefined
    const reason = retryReason(failure.error)
    if (!reason || attempt === mostAttempts) return describeFailure(script, message, failure)
    plan.onEvent?.({ type: 'step-retried', step: toStep(script), attempt, reason })
    if (!(await pause(500 + Math.random() * 1000, plan.signal))) return 'interrupted'
  }
}

interface Failure {
  readonly error: unknown
  /** How many statements of the script the server had carried out; -1 when it did not come as far as the first. */
  readonly completed: number
}

async function sendOnce(connection: Connection, message: Message): Promise<Failure | undefined> {
  let completed = -1
  try {
    await connection.send(message.sql, (row) => {
      if (message.markerColumn in row) completed += 1
    })
    return undefined
  } catch (error) {
    return { error, completed }
  }
}

function retryReason(error: unknown): 'lock-timeout' | 'deadlock' | 'busy' | undefined {
  switch (sqlstateOf(error)) {
    case '55P03':
      return 'lock-timeout'
    case '40P01':
      return 'deadlock'
    case guardStates.busy:
      return 'busy'
    default:
      return undefined
  }
}

function describeFailure(script: Script, message: Message, { error, completed }: Failure): Problem {
  const name = nameRevision(script.revision)
  if (error instanceof DroverError) return { ...error.problems[0], revision: script.revision.id }
  switch (sqlstateOf(error)) {
    case guardStates.busy:
      return {
        code: 'LOCKED',
        revision: script.revision.id,
        message: `${name}: another run is still in the middle of a revision of this database`,
        hint: 'run the same command again when it has ended',
      }
    case guardStates.leaseLost:
      return {
        code: 'LEASE_LOST',
        revision: script.revision.id,
        message: `${name} was not run: another run has taken over this database, because nothing was heard of this one`,
        hint: 'wait for the other run, then run the same command again',
      }
    case guardStates.moved:
      return {
        code: 'STATE_MOVED',
        revision: script.revision.id,
        message: `${name} was not run: what is applied has changed since the plan was made`,
        hint: 'run the same command again: it plans anew',
      }
    default:
      return describeStatementError(error, script, message, completed)
  }
}

function toStep({ direction, revision }: Step): Step {
  return { direction, revision }
}

/** Whether the pause came to its end, and was not cut short by the signal. */
async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, signal && { signal })
    return true
  } catch {
    return false
  }
}
