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
import { holdHistoryLock } from '../lease/history-lock.ts'
import { runsOutsideTransaction } from '../source/outside-transaction.ts'
import type { Script } from '../source/script.ts'
import { readLeftover, readProgress } from '../store/progress.ts'
import { describeFailure, type Failure, type Patience, sendOnce, sendPatiently } from './attempt.ts'
import { cleanSession, type Holder, holderOf, limitTime, writeSession } from './guard.ts'
import { type Message, type MessageContext, preamble, writeOwnMessage, writeSingle } from './message.ts'
import { writeAdvance, writeStart, writeTakeover, writeUndo } from './outside-record.ts'
import { isAnswerLost, settleEnd } from './settle.ts'

/** How a revision with transactions of its own is run. */
export interface OwnOptions extends Patience {
  /** Whether a revision that is half done is begun again; otherwise it is refused. */
  readonly resume: boolean
  /** See `countCarriedOut`. */
  readonly fence: () => Promise<void>
}

/** A statement waits for a lock for so long, in milliseconds, unless more was asked for: it cannot be tried again by itself. */
const leastLockTimeoutMs = 5000

/**
 * Runs a revision that begins and ends its transactions itself, statement by statement in one session, as psql would. It is marked as
 * begun first, and recorded when all of it is done. Meanwhile the session holds the lock of the history, so that nobody takes
 * over whom the server still works for.
 * @returns what it failed of, if it did; what it has committed before that stays. `interrupted` only before it has begun
 */
export async function runOwn(
  connection: Connection,
  script: Script,
  context: MessageContext,
  options: OwnOptions,
): Promise<Problem | 'interrupted' | undefined> {
  const task = { connection, script, context, holder: holderOf(context.run, context.token), options }
  try {
    const begun = await begin(task)
    if (begun === 'interrupted' || typeof begun === 'object') return begun
    return (await runStatements(task, begun === 'again')) ?? (await record(task))
  } catch (error) {
    return describeFailure(script, writeOwnMessage(''), { error, completed: -1 })
  } finally {
    await connection.send(`${cleanSession} select pg_catalog.pg_advisory_unlock_all()`).catch(() => undefined)
  }
}

interface Task {
  readonly connection: Connection
  readonly script: Script
  readonly context: MessageContext
  readonly holder: Holder
  readonly options: OwnOptions
}

/** Marks the revision as begun, or takes over what another run has begun. */
async function begin(task: Task): Promise<'first' | 'again' | 'interrupted' | Problem> {
  const { connection, script, context, holder, options } = task
  const found = options.resume ? await readProgress(connection, holder) : undefined
  const isAgain = found?.halfDone.id === script.revision.id && found.halfDone.direction === script.direction
  if (isAgain) {
    const left = await readLeftover(connection, holder, found)
    if (left?.kind === 'working') return describeHalfDone({ ...found.halfDone, left }, script.revision)
  }
  const start = isAgain ? writeTakeover(script, holder, found) : writeStart(script, context.history, holder)
  const lockTimeoutMs = Math.max(context.lockTimeoutMs, leastLockTimeoutMs)
  const session = `${writeSession(context)}set lock_timeout = ${lockTimeoutMs};\n${holdHistoryLock(holder)}`
  const message = writeOwnMessage(`${preamble(context)}${start}${session}`)
  const failure = await sendPatiently(connection, message, options)
  if (failure === 'interrupted') return failure
  if (failure) return describeFailure(script, message, failure)
  return isAgain ? 'again' : 'first'
}

/** @param isKept whether something of it may have been committed before */
async function runStatements(task: Task, isKept: boolean): Promise<Problem | undefined> {
  const { connection, script, context } = task
  let mayBeKept = isKept
  let isOpen = false
  for (const [at, { text }] of script.statements.entries()) {
    // These leave something behind even if they fail.
    if (!isOpen && (runsOutsideTransaction(text) || /^(?:call|do)\b/i.test(text))) mayBeKept = true
    const message = writeSingle(script, at, context.run)
    const failure = await sendOnce(connection, message)
    // A row for each statement is missing here, which tells elsewhere how far the server came.
    if (failure) return fail(task, message, { ...failure, completed: at }, mayBeKept)
    if (/^(?:begin|start)\b/i.test(text)) isOpen = true
    else if (/^(?:rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|abort)\b/i.test(text)) isOpen = false
    else if (/^(?:commit|end|prepare\s+transaction)\b/i.test(text)) [isOpen, mayBeKept] = [false, true]
    else if (!isOpen) mayBeKept = true
  }
  if (!(await isTransactionOpen(connection))) return undefined
  return fail(task, writeOwnMessage(''), { error: new DroverError(describeOpen(script)), completed: -1 }, mayBeKept)
}

/** A savepoint can only be made in a transaction. */
async function isTransactionOpen(connection: Connection): Promise<boolean> {
  try {
    await connection.send('savepoint drover_open')
    return true
  } catch (error) {
    if (sqlstateOf(error) === '25P01') return false
    throw error
  }
}

async function record(task: Task): Promise<Problem | undefined> {
  const { connection, script, context, holder, options } = task
  const done = writeAdvance(script, holder, 0, script.statements.length)
  const message = writeOwnMessage(`${limitTime({ ...context, statementTimeoutMs: 0 })}${done}`)
  const failure = await sendPatiently(connection, message, { ...options, signal: undefined })
  if (failure === undefined || failure === 'interrupted') return undefined
  const problem = describe(script, describeFailure(script, message, failure, goOn(script)))
  return settleEnd(connection, script, context.run, problem, options.fence)
}

/** Ends a revision that has failed: with nothing of it committed, it counts as never begun. */
async function fail(task: Task, message: Message, failure: Failure, mayBeKept: boolean): Promise<Problem> {
  const { connection, script, holder, options } = task
  // Of a COMMIT whose answer is lost, nobody knows.
  if (!mayBeKept && !isAnswerLost(failure.error)) {
    const undo = writeOwnMessage(`rollback;\n${cleanSession}`)
    const undone =
      (await sendOnce(connection, undo)) ??
      (await sendPatiently(connection, writeOwnMessage(writeUndo(script, holder, 0)), {
        ...options,
        signal: undefined,
      }))
    if (undone === undefined) return describeFailure(script, message, failure)
  }
  await connection.send('rollback').catch(() => undefined)
  return describe(script, describeFailure(script, message, failure, goOn(script)))
}

/** A failure of a revision that stays half done. */
function describe({ revision }: Script, problem: Problem): Problem {
  return {
    ...problem,
    hint: `what ${nameRevision(revision)} has committed before stays: ${problem.hint}`,
  }
}

function goOn({ revision, direction }: Pick<Script, 'revision' | 'direction'>): string {
  return `run all of the file again with: ${resumeCommand(direction, revision)}, or forget that it was begun with: ${abandonCommand(direction)}`
}

function describeOpen({ revision, direction, file }: Script): Problem {
  return {
    code: 'OWN_TRANSACTION',
    revision: revision.id,
    file,
    message: `${nameRevision(revision)} has not ended its last transaction, of which nothing was kept`,
    hint: `write "commit;" at the end of ${file}, then ${goOn({ revision, direction })}`,
  }
}
