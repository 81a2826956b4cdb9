import { setTimeout as sleep } from 'node:timers/promises'

import { type Blocker, DroverError, nameRevision, type Problem } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { isConflict, readServerError } from '../diagnose/server-error.ts'
import { describeStatementError, sqlstateOf } from '../diagnose/statement-error.ts'
import { leaseLost } from '../lease/lease.ts'
import type { Script } from '../source/script.ts'
import { type BlockerWatch, identityOf, watchBlockers, type WatchOptions } from './blockers.ts'
import { guardStates } from './guard.ts'
import type { Message } from './message.ts'
import { timeColumn } from './statement-times.ts'

/** Why a message is sent again. */
export type RetryReason = 'lock-timeout' | 'deadlock' | 'busy' | 'conflict'

/** How a message is sent again while it cannot have a lock. */
export interface Patience {
  readonly onRetry: (attempt: number, reason: RetryReason) => void
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
  /** Called with each row that an attempt brings. */
  readonly onRow?: (row: Row) => void
  /** How often it is sent at most while it cannot have a lock. Default 30. */
  readonly attempts?: number | undefined
  /** Who is in the way is looked for from the second attempt on. Default: nobody is. */
  readonly watch?: WatchOptions | undefined
}

/** What came back instead of success. */
export interface Failure {
  readonly error: unknown
  /** How many statements of the script the server had carried out; -1 when it did not come as far as the first. */
  readonly completed: number
  /** Who held the lock that was not to be had, when that could be found out. */
  readonly blockers?: readonly Blocker[] | undefined
}

/** How often a message is sent when it cannot have a lock, or others are making the same. */
const mostAttempts = 30

/** Sends a message, which is one transaction, and sends it again while it cannot have a lock, or others have just made the same. */
export async function sendPatiently(
  connection: Connection,
  message: Message,
  patience: Patience,
): Promise<Failure | 'interrupted' | undefined> {
  return tryPatiently(() => sendOnce(connection, message, patience.onRow), patience)
}

/** Does something that is one transaction, and does it again while it cannot have a lock, or others have just made the same. */
export async function tryPatiently<Found extends Failure>(
  act: () => Promise<Found | 'interrupted' | undefined>,
  { onRetry, signal, attempts = mostAttempts, watch }: Patience,
): Promise<Found | 'interrupted' | undefined> {
  await using opened = new AsyncDisposableStack()
  let observer: BlockerWatch | undefined
  // A busy server may not have answered in time during the last attempt: whoever was in the way before it is named then.
  let known: readonly Blocker[] = []
  for (let attempt = 1; ; attempt += 1) {
    const working = act()
    const blockers = (await observer?.during(working)) ?? []
    const failure = await working
    if (failure === undefined || failure === 'interrupted') return failure
    const reason = retryReason(failure.error)
    if (reason === 'lock-timeout' && blockers.length > 0) {
      if (identityOf(blockers) !== identityOf(known)) watch?.onEvent?.({ type: 'blockers-found', blockers })
      known = blockers
    }
    // The others are through, so that nobody is kept waiting by this.
    const most = reason === 'conflict' ? mostAttempts : attempts
    if (!reason || attempt >= most) {
      return reason === 'lock-timeout' && known.length > 0 ? { ...failure, blockers: known } : failure
    }
    if (reason === 'lock-timeout' && watch) observer ??= opened.use(watchBlockers(watch))
    onRetry(attempt, reason)
    const pauseMs = reason === 'conflict' ? 100 : 1000
    if (!(await pause((0.5 + Math.random()) * pauseMs, signal))) return 'interrupted'
  }
}

/** Sends a message; it is the caller's to know whether it is a transaction. */
export async function sendOnce(
  connection: Connection,
  message: Message,
  onRow?: (row: Row) => void,
): Promise<Failure | undefined> {
  let completed = -1
  try {
    await connection.send(message.sql, (row) => {
      if (message.markerColumn in row) completed += 1
      if (!(message.markerColumn in row) || timeColumn in row) onRow?.(row)
    })
    return undefined
  } catch (error) {
    return { error, completed }
  }
}

/** Why a message that failed may be sent again; `undefined` where that would help nothing. */
export function retryReason(error: unknown): RetryReason | undefined {
  switch (sqlstateOf(error)) {
    case '55P03':
      return 'lock-timeout'
    case '40P01':
      return 'deadlock'
    case guardStates.busy:
      return 'busy'
    default:
      return isConflict(readServerError(error)) ? 'conflict' : undefined
  }
}

/**
 * Describes why a script did not run: what stood in its way, or which statement failed.
 * @param next what there is to do when the cause of a failed statement is put right. Default: the same command again
 */
export function describeFailure(
  script: Script,
  message: Message,
  { error, completed, blockers }: Failure,
  next?: string,
): Problem {
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
        message: `${name} was not run: ${leaseLost.reason}`,
        hint: leaseLost.hint,
      }
    case guardStates.moved:
      return {
        code: 'STATE_MOVED',
        revision: script.revision.id,
        message: `${name} was not run: what is applied has changed since the plan was made`,
        hint: 'run the same command again: it plans anew',
      }
    default:
      return describeStatementError(error, script, message, completed, { blockers, next })
  }
}

/** Whether the pause came to its end, and was not cut short by the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, signal && { signal })
    return true
  } catch {
    return false
  }
}
