import { setTimeout as sleep } from 'node:timers/promises'

import { DroverError, nameRevision, type Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { describeStatementError, sqlstateOf } from '../diagnose/statement-error.ts'
import type { Script } from '../source/script.ts'
import { guardStates } from './guard.ts'
import type { Message } from './message.ts'

/** Why a message is sent again. */
export type RetryReason = 'lock-timeout' | 'deadlock' | 'busy'

/** How a message is sent again while it cannot have a lock. */
export interface Patience {
  readonly onRetry: (attempt: number, reason: RetryReason) => void
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

/** What came back instead of success. */
export interface Failure {
  readonly error: unknown
  /** How many statements of the script the server had carried out; -1 when it did not come as far as the first. */
  readonly completed: number
}

/** How often a message is sent when it cannot have a lock. */
const mostAttempts = 30

/** Sends a message, which is one transaction, and sends it again while it cannot have a lock. */
export async function sendPatiently(
  connection: Connection,
  message: Message,
  { onRetry, signal }: Patience,
): Promise<Failure | 'interrupted' | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const failure = await sendOnce(connection, message)
    if (!failure) return undefined
    const reason = retryReason(failure.error)
    if (!reason || attempt === mostAttempts) return failure
    onRetry(attempt, reason)
    if (!(await pause(500 + Math.random() * 1000, signal))) return 'interrupted'
  }
}

/** Sends a message; it is the caller's to know whether it is a transaction. */
export async function sendOnce(connection: Connection, message: Message): Promise<Failure | undefined> {
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

function retryReason(error: unknown): RetryReason | undefined {
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

/** Describes why a script did not run: what stood in its way, or which statement failed. */
export function describeFailure(script: Script, message: Message, { error, completed }: Failure): Problem {
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

/** Whether the pause came to its end, and was not cut short by the signal. */
async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, signal && { signal })
    return true
  } catch {
    return false
  }
}
