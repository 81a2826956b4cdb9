import {
  abandonCommand,
  describeHalfDone,
  DroverError,
  nameRevision,
  type Problem,
  resumeCommand,
} from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { leaseLost } from '../lease/lease.ts'
import { findConcurrentIndex, findSettings, runsOutsideTransaction } from '../source/outside-transaction.ts'
import { checksumOfStatements, type Script } from '../source/script.ts'
import { lineAt, normalizeStatement } from '../source/statements.ts'
import { type Progress, readLeftover, readProgress } from '../store/progress.ts'
import { describeFailure, type Failure, type Patience, sendOnce, sendPatiently } from './attempt.ts'
import { cleanSession, type Holder, holderOf, limitTime, plainRefusals, refuseBusy, writeSession } from './guard.ts'
import { type Message, type MessageContext, preamble, writeOwnMessage, writeSingle } from './message.ts'
import { writeAdvance, writeBegin, writeStart, writeTakeover, writeUndo } from './outside-record.ts'
import { settleEnd } from './settle.ts'
import { type StatementProgress, watchStatement } from './statement-progress.ts'
import type { FinishedStatement } from './statement-times.ts'

/** How a revision outside a transaction is run. */
export interface OutsideOptions extends Patience {
  /** Whether a revision that is half done is gone on with; otherwise it is refused. */
  readonly resume: boolean
  /** See `countCarriedOut`. */
  readonly fence: () => Promise<void>
  /** Called with each statement that is done. */
  readonly onStatement?: (finished: FinishedStatement) => void
  /** Called now and then with how far a statement is that takes long and runs by itself. */
  readonly onProgress?: (progress: StatementProgress) => void
}

/**
 * Runs a revision statement by statement. It is marked as begun first, and each statement is recorded as done: in one
 * transaction with the statement where that is possible, behind it where it is not. Then the catalogue knows later whether
 * the statement was carried out.
 * @returns what it failed of, if it did. `interrupted` only before it has begun
 */
export async function runOutside(
  connection: Connection,
  script: Script,
  context: MessageContext,
  options: OutsideOptions,
): Promise<Problem | 'interrupted' | undefined> {
  const holder = holderOf(context.run, context.token)
  const task = { connection, script, context, holder, options }
  try {
    const begun = options.resume ? await readProgress(connection, holder) : undefined
    const ready = begun && isOf(script, begun) ? await takeUp(task, begun) : await start(task)
    if (ready === 'interrupted' || 'code' in ready) return ready
    const { first, carriedOut } = ready
    const { length } = script.statements
    const settle = async (problem: Problem) => settleEnd(connection, script, context.run, problem, options.fence)
    // Nothing left to run, and so nothing that records the end.
    if (first === length) {
      const problem = await record(task, first, writeAdvance(script, holder, first, first))
      return problem && (await settle(problem))
    }
    for (let done = first; done < length; done += 1) {
      const started = performance.now()
      const isCarriedOut = carriedOut && done === first
      const problem = isCarriedOut
        ? await record(task, done, writeAdvance(script, holder, done, done + 1))
        : await runStatement(task, done)
      if (problem) return done === length - 1 ? await settle(problem) : problem
      const line = lineAt(script.sql, script.statements[done]!.start)
      options.onStatement?.({ statement: done + 1, line, durationMs: performance.now() - started })
    }
    return undefined
  } catch (error) {
    return describeFailure(script, writeOwnMessage(''), { error, completed: -1 })
  } finally {
    // What the statements have left behind must not reach the record of the run. Where the connection is gone, so is that.
    await connection.send(cleanSession).catch(() => undefined)
  }
}

interface Task {
  readonly connection: Connection
  readonly script: Script
  readonly context: MessageContext
  readonly holder: Holder
  readonly options: OutsideOptions
}

/** Where a revision is to be begun, or gone on with. */
interface Ready {
  /** The index of the first statement that is not recorded as done. */
  readonly first: number
  /** Whether that one was carried out all the same. */
  readonly carriedOut: boolean
}

/** Marks the revision as begun. */
async function start({ connection, script, context, holder, options }: Task): Promise<Ready | Problem | 'interrupted'> {
  const begin = writeStart(script, context.history, holder)
  const message = writeOwnMessage(`${preamble(context)}${begin}${writeSession(context)}`)
  const failure = await sendPatiently(connection, message, options)
  if (failure === undefined) return { first: 0, carriedOut: false }
  return failure === 'interrupted' ? failure : describeFailure(script, message, failure)
}

/** Goes on with a revision that is half done. */
async function takeUp(task: Task, progress: Progress): Promise<Ready | Problem | 'interrupted'> {
  const { connection, script, context, holder, options } = task
  const { done, statement } = progress.halfDone
  const left = await readLeftover(connection, holder, progress)
  if (left?.kind === 'working') return describeHalfDone({ ...progress.halfDone, left }, script.revision)
  const same =
    checksumOfStatements(script.statements.slice(0, done)) === progress.checksum &&
    (left?.kind !== 'carried-out' || isSame(script.statements[done]?.text, statement))
  if (!same) return describeEdited(script, left?.kind === 'carried-out' ? done + 1 : done)

  const settings = findSettings(script.statements.slice(0, done).map(({ text }) => text)).map((text) => `${text};\n`)
  const takeover = `${limitTime(context)}${writeTakeover(script, holder, progress)}`
  const message = writeOwnMessage(`${takeover}${writeSession(context)}${settings.join('')}`)
  const failure = await sendPatiently(connection, message, options)
  if (failure === 'interrupted') return failure
  if (failure) return describeFailure(script, message, failure)

  if (left?.kind === 'invalid-index') {
    const removal = await sendOnce(connection, writeOwnMessage(`drop index concurrently ${left.name}`))
    if (removal) return describeRemoval(task, left.name, removal)
  }
  return { first: done, carriedOut: left?.kind === 'carried-out' }
}

async function runStatement(task: Task, done: number): Promise<Problem | undefined> {
  const { connection, script, holder } = task
  const { text } = script.statements[done]!
  if (!runsOutsideTransaction(text)) {
    const message = writeTogether(task, done)
    const failure = await sendPatiently(connection, message, withoutSignal(task.options))
    if (failure === undefined || failure === 'interrupted') return undefined
    if (!mustBeAlone(failure.error)) return fail(task, done, message, failure, true)
  }
  const problem = await record(task, done, writeBegin(script, holder, done))
  if (problem) return problem
  const message = writeSingle(script, done, holder)
  const failure = await sendWatched(task, message)
  if (failure) return fail(task, done, message, { ...failure, completed: 0 }, false)
  return record(task, done, writeAdvance(script, holder, done, done + 1))
}

/** Sends a statement that runs by itself, and tells how far it is should it take long. */
async function sendWatched({ connection, options }: Task, message: Message): Promise<Failure | undefined> {
  const { onProgress } = options
  if (!onProgress) return sendOnce(connection, message)
  await using _ = watchStatement({ url: connection.url, statement: message.sql, onProgress })
  return await sendOnce(connection, message)
}

/** What has begun is gone on with, whatever the signal says. */
function withoutSignal(options: Patience): Patience {
  return { ...options, signal: undefined }
}

/** A statement and the record that it is done, in one transaction. */
function writeTogether({ script, context, holder }: Task, done: number): Message {
  return writeSingle(script, done, {
    before: `${limitTime(context)}do $drover$
begin
${refuseBusy(holder, plainRefusals)}end
$drover$;
`,
    after: writeAdvance(script, holder, done, done + 1),
    mark: context.mark,
  })
}

/** What a statement says that ends transactions itself, or cannot run in one, without its text telling. */
function mustBeAlone(error: unknown): boolean {
  const sqlstate = sqlstateOf(error)
  return sqlstate === '25001' || sqlstate === '2D000'
}

/** Sends what is recorded of a revision that is under way. */
async function record(task: Task, done: number, sql: string): Promise<Problem | undefined> {
  const { connection, context, options } = task
  const message = writeOwnMessage(`${limitTime({ ...context, statementTimeoutMs: 0 })}${sql}`)
  const failure = await sendPatiently(connection, message, withoutSignal(options))
  if (failure === undefined || failure === 'interrupted') return undefined
  return describe(task, done, message, failure)
}

/** Ends a revision whose statement has failed: with nothing of it left, it counts as never begun. */
async function fail(task: Task, done: number, message: Message, failure: Failure, undone: boolean): Promise<Problem> {
  const { connection, script, holder } = task
  if (failure.error instanceof DroverError) return describe(task, done, message, failure)
  // The failed statement may have changed the role, and such a change is undone only with a transaction of its own.
  const progress = await readProgressAfter(task)
  const left = progress && (await readLeftover(connection, holder, progress).catch(() => undefined))
  const isTraceless = undone || (left === undefined && findConcurrentIndex(script.statements[done]!.text) !== undefined)
  if (done === 0 && isTraceless && progress) {
    const undo = await sendPatiently(
      connection,
      writeOwnMessage(writeUndo(script, holder, 0)),
      withoutSignal(task.options),
    )
    if (undo === undefined)
      return describeFailure(script, message, { ...failure, completed: at(failure, done, script) })
  }
  const name = left?.kind === 'invalid-index' ? `, and the invalid index ${left.name} is left` : ''
  return describe(task, done, message, failure, name)
}

async function readProgressAfter({ connection, holder }: Task): Promise<Progress | undefined> {
  try {
    await connection.send(cleanSession)
    return await readProgress(connection, holder)
  } catch {
    return undefined
  }
}

/** A failure of a revision that stays half done. */
function describe({ script }: Task, done: number, message: Message, failure: Failure, left = ''): Problem {
  const { direction, statements } = script
  const next = `go on with: ${resumeCommand(direction, script.revision)}, or forget that it was begun with: ${abandonCommand(direction)}`
  const problem = describeFailure(script, message, { ...failure, completed: at(failure, done, script) }, next)
  const verb = statements.length === 1 ? 'statement is' : 'statements are'
  const isStatements = problem.code === 'STATEMENT_FAILED' && problem.sqlstate !== undefined
  const isOthers = problem.code === 'LEASE_LOST' || problem.code === 'STATE_MOVED' || problem.code === 'LOCKED'
  return {
    ...problem,
    ...(isOthers && {
      message: `${nameRevision(script.revision)} was stopped: ${leaseLost.reason}`,
    }),
    hint: `${done} of ${statements.length} ${verb} done${left}: ${isStatements ? problem.hint : `see to what is wrong, then ${next}`}`,
  }
}

/** Which statement failed: in a message with one of them, it is that one unless the message failed behind it. */
function at({ completed }: Failure, done: number, { statements }: Script): number {
  if (completed < 0) return -1
  return completed === 0 ? done : statements.length
}

function describeRemoval(task: Task, name: string, { error }: Failure): Problem {
  const { revision, direction } = task.script
  const reason = error instanceof Error ? error.message : String(error)
  return {
    code: 'STATEMENT_FAILED',
    revision: revision.id,
    message: `${nameRevision(revision)}: the invalid index ${name} cannot be dropped: ${reason}`,
    hint: `see to what is wrong, then go on with: ${resumeCommand(direction, revision)}`,
  }
}

function describeEdited({ revision, file, direction }: Script, done: number): Problem {
  return {
    code: 'HALF_DONE',
    revision: revision.id,
    file,
    message: `${nameRevision(revision)} is half ${direction === 'up' ? 'applied' : 'reverted'}, and the first ${done === 1 ? 'statement' : `${done} statements`} of ${file}, which the database has had, ${done === 1 ? 'was' : 'were'} edited since`,
    hint: 'restore what the database has had; only what comes after it may still be changed',
  }
}

function isOf({ revision, direction }: Script, { halfDone }: Progress): boolean {
  return halfDone.id === revision.id && halfDone.direction === direction
}

function isSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && normalizeStatement(one) === normalizeStatement(other)
}
