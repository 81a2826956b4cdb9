import { abandonCommand, describeHalfDone, DroverError, nameRevision, type Revision } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { endOf, recordEnd, type Run, startOf } from '../store/runs.ts'
import { type Progress, readLeftover, readProgress } from '../store/progress.ts'
import { cleanSession, guardStates, holderOf, writeSession } from './guard.ts'
import { preamble } from './message.ts'
import { writeTakeover, writeUndo } from './outside-record.ts'
import { describeRefusal } from './stamp.ts'

/** A half-done revision that is to be forgotten. */
export interface AbandonRun {
  readonly run: Run
  /** Of the lease that this run holds. */
  readonly token: string
  /** How far it had come when this was decided. */
  readonly begun: Progress
  /** Missing when its folder is gone. */
  readonly revision: Revision | undefined
}

/** What was done to abandon a revision. */
export interface Abandoned {
  /** The invalid index that was dropped, as SQL needs its name. */
  readonly dropped?: string
}

/**
 * Forgets that a revision outside a transaction was begun: on its way up it counts as not applied then, on its way down as
 * applied. An invalid index that its unfinished statement has left is dropped; what its other statements have done stays.
 * @throws {DroverError} `HALF_DONE` while the server is still at a statement of it, `LOCKED`, `LEASE_LOST` or `STATE_MOVED`
 * when somebody else is at work, `STATEMENT_FAILED` when the index cannot be dropped. The revision stays half done then
 */
export async function abandonRevision(connection: Connection, abandon: AbandonRun): Promise<Abandoned> {
  const { run, token, begun, revision } = abandon
  const { id, direction, done } = begun.halfDone
  const row = { revision: { id }, direction }
  const holder = holderOf(run, token)
  const now = await readProgress(connection, run)
  if (now?.run !== begun.run || now.halfDone.id !== id || now.halfDone.done !== done) {
    throw new DroverError(describeRefusal(guardStates.moved)!)
  }
  const left = await readLeftover(connection, run, now)
  if (left?.kind === 'working') throw new DroverError(describeHalfDone({ ...now.halfDone, left }, revision))
  const limits = preamble({ lockTimeoutMs: 100, statementTimeoutMs: 0 })
  try {
    await refusing(() =>
      connection.send(
        `${limits}${writeTakeover(row, holder, now)}${startOf(run, [])};${writeSession({ statementTimeoutMs: 0 })}`,
      ),
    )
    const dropped = left?.kind === 'invalid-index' ? left.name : undefined
    if (dropped !== undefined) await drop(connection, dropped, abandon)
    await refusing(() => connection.send(`${limits}${writeUndo(row, holder, done)}${endOf(run, 'succeeded')}`))
    return dropped === undefined ? {} : { dropped }
  } catch (error) {
    const problem = error instanceof DroverError ? error.problems[0] : undefined
    await recordEnd(connection, run, 'failed', problem).catch(() => undefined)
    throw error
  } finally {
    await connection.send(cleanSession).catch(() => undefined)
  }
}

/** Waits for as long as it takes: one that gave up would leave the index half dropped. */
async function drop(connection: Connection, name: string, { begun, revision }: AbandonRun): Promise<void> {
  try {
    await connection.send(`drop index concurrently ${name}`)
  } catch (error) {
    if (error instanceof DroverError) throw error
    const { id, direction } = begun.halfDone
    const reason = error instanceof Error ? error.message : String(error)
    throw new DroverError(
      {
        code: 'STATEMENT_FAILED',
        revision: id,
        message: `${revision ? nameRevision(revision) : id}: the invalid index ${name} cannot be dropped: ${reason}`,
        hint: `see to what is wrong, then: ${abandonCommand(direction)}`,
      },
      { cause: error },
    )
  }
}

/** Says of a guard that lets nobody through what that means. */
async function refusing<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    const problem = describeRefusal(sqlstateOf(error))
    throw problem ? new DroverError(problem, { cause: error }) : error
  }
}
