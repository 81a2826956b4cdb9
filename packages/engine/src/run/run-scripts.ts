import { DroverError, type Problem } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import type { Script } from '../source/script.ts'
import { describeFailure, type Failure, type Patience, retryReason, sendPatiently } from './attempt.ts'
import { type Group, type MessageContext, writeGroup, writeTransaction } from './message.ts'
import { countCarriedOut, doubt, isAnswerLost } from './settle.ts'
import { type FinishedStatement, timeColumn, timeStatements } from './statement-times.ts'

/** A script that was carried out. */
export interface FinishedScript {
  readonly script: Script
  /** In milliseconds. */
  readonly durationMs: number
  /** Its statements, where their times were asked for. */
  readonly statements: readonly FinishedStatement[]
}

/** How some scripts were run, of which the first ones are finished. Those are on the server's disk. */
export interface ScriptsOutcome {
  readonly finished: readonly FinishedScript[]
  /** `again`: nothing is known to be wrong with the rest, and at most so many of them should share a message. */
  readonly end:
    | { readonly kind: 'succeeded' }
    | { readonly kind: 'interrupted' }
    | { readonly kind: 'again'; readonly most: number }
    | { readonly kind: 'failed'; readonly script: Script; readonly problem: Problem }
}

/** How scripts are run. */
export interface ScriptsOptions extends Patience {
  /** Keeps the server from beginning what it has been sent and has not come to yet. */
  readonly fence: () => Promise<void>
}

/** Runs scripts in one message and one transaction: all of them, or none. Waits patiently for locks. */
export async function runTogether(
  connection: Connection,
  scripts: readonly Script[],
  context: MessageContext,
  options: ScriptsOptions,
): Promise<ScriptsOutcome> {
  const group = writeTransaction(scripts, context)
  let times = noTimes()
  const failure = await sendPatiently(connection, group.messages[0]!, {
    ...options,
    onRetry: (...about) => {
      times = noTimes()
      options.onRetry(...about)
    },
    onRow: (row) => {
      collectTimes(times, group, row)
      options.onRow?.(row)
    },
  })
  if (failure === 'interrupted') return { finished: [], end: { kind: 'interrupted' } }
  const all = finish(scripts, times)
  if (!failure) return { finished: all, end: { kind: 'succeeded' } }
  const done = isAnswerLost(failure.error)
    ? await countCarriedOut(connection, scripts, context.run, failure.error, options.fence)
    : 0
  if (done === scripts.length) return { finished: all, end: { kind: 'succeeded' } }
  const next = scripts.length > 1 ? 'run the same command again: nothing of this run was kept' : undefined
  return { finished: [], end: describeEnd(group, scripts, done, failure, next) }
}

/**
 * Runs scripts in one message, each in a transaction of its own. What comes after one that fails is not begun. Once the signal is
 * aborted, the one that is running is finished, and no other is begun.
 */
export async function runApart(
  connection: Connection,
  scripts: readonly Script[],
  context: MessageContext,
  { fence, signal }: Pick<ScriptsOptions, 'fence' | 'signal'>,
): Promise<ScriptsOutcome> {
  const group = writeGroup(scripts, context)
  const times = noTimes()
  // Where the fence cannot be put up, the message runs to its end.
  const stop = () => void fence().catch(() => undefined)
  signal?.addEventListener('abort', stop, { once: true })
  const failure = await sendGroup(connection, group, times)
  signal?.removeEventListener('abort', stop)
  const all = finish(scripts, times)
  if (!failure) return { finished: all, end: { kind: 'succeeded' } }

  const done = await countCarriedOut(connection, scripts, context.run, failure.error, fence)
  if (done === scripts.length) return { finished: all, end: { kind: 'succeeded' } }
  const finished = all.slice(0, done ?? 0)
  const failed = findFailed(group, scripts, failure, finished.length)
  // Its text is faulty, so that the server has begun none of them.
  if (failed > finished.length) return { finished, end: { kind: 'again', most: failed - finished.length } }
  if (isWorthAnother(failure, scripts, failed)) return { finished, end: { kind: 'again', most: 1 } }
  return { finished, end: describeEnd(group, scripts, done, failure) }
}

/**
 * Whether a script that failed in company should be run alone: because that waits for locks, or because what failed is around its
 * statements, and the guard and the record of a message of its own tell more.
 */
function isWorthAnother({ error, completed }: Failure, scripts: readonly Script[], index: number): boolean {
  if (error instanceof DroverError) return false
  const own = completed - markersBefore(scripts, index)
  const isAround = (index > 0 && own < 0) || own >= scripts[index]!.statements.length
  // It has taken the prepared statements away.
  return isAround || sqlstateOf(error) === '26000' || retryReason(error) !== undefined
}

async function sendGroup(connection: Connection, group: Group, times: Times): Promise<Failure | undefined> {
  const { markerColumn } = group.messages[0]!
  let completed = -1
  try {
    await connection.send(group.sql, (row) => {
      if (markerColumn in row) completed += 1
      collectTimes(times, group, row)
    })
    return undefined
  } catch (error) {
    return { error, completed }
  }
}

/** What the rows of a message have told of time, in milliseconds. */
interface Times {
  /** How long each revision took. */
  readonly durations: number[]
  /** When the server was where it said how far it had come. */
  readonly reached: number[]
}

function noTimes(): Times {
  return { durations: [], reached: [] }
}

function collectTimes({ durations, reached }: Times, { durationColumn }: Group, row: Row): void {
  if (durationColumn in row) durations.push(Number(row[durationColumn]))
  if (timeColumn in row) reached.push(Number(row[timeColumn]))
}

function finish(scripts: readonly Script[], { durations, reached }: Times): readonly FinishedScript[] {
  const statements = timeStatements(scripts, reached)
  return scripts.map((script, index) => ({
    script,
    durationMs: durations[index] ?? 0,
    statements: statements[index]!,
  }))
}

/**
 * @param done how many are finished; unknown where the server did not say
 * @param next what there is to do when the cause is put right. Default: as for one revision
 */
function describeEnd(
  group: Group,
  scripts: readonly Script[],
  done: number | undefined,
  failure: Failure,
  next?: string,
): ScriptsOutcome['end'] {
  const index = findFailed(group, scripts, failure, done ?? 0)
  const script = scripts[index]!
  const completed = failure.completed - markersBefore(scripts, index)
  const problem = describeFailure(script, group.messages[index]!, { ...failure, completed }, next)
  return { kind: 'failed', script, problem: done === undefined ? withDoubt(problem, scripts.length - index) : problem }
}

/**
 * Which script an error is about: the one that its position lies in, otherwise the one that the server had come to.
 * @param first the first that may be
 */
function findFailed(group: Group, scripts: readonly Script[], { error, completed }: Failure, first: number): number {
  const position = Number(error instanceof Error && 'position' in error ? error.position : 0)
  const located = position > 0 ? group.messages.findIndex((message) => message.locate(position)) : -1
  if (located !== -1) return located
  const reached = scripts.findLastIndex((_, index) => completed >= markersBefore(scripts, index))
  return Math.max(first, reached)
}

/** How many rows that tell how far the server is come before those of a script. */
function markersBefore(scripts: readonly Script[], index: number): number {
  return scripts.slice(0, index).reduce((sum, { statements }) => sum + statements.length + 1, 0)
}

function withDoubt(problem: Problem, count: number): Problem {
  const what = count === 1 ? 'it was carried out' : `it and the ${count - 1} after it were carried out`
  return doubt(problem, what)
}
