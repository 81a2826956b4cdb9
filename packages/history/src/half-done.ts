import type { Direction } from './plan.ts'
import type { Problem } from './problem.ts'
import { nameRevision, type Revision, scriptFile } from './revision.ts'

/** A revision outside a transaction, or in batches, that was begun and is not done. */
export interface HalfDone {
  readonly id: string
  readonly direction: Direction
  /** How many statements are done, of how many; of batches, there is no telling of how many. */
  readonly done: number
  readonly total: number
  /** How far the batches have come, where it is in batches. */
  readonly batch?: BatchProgress
  /** Whether it begins and ends its transactions itself, so that nothing but its end is recorded. */
  readonly own?: true
  /** The first that is not done, as it stood in the file; missing when only the record is. */
  readonly statement?: string
  /** What the unfinished statement has left, where that can be told. */
  readonly left?: Leftover
  /** Whether some run holds the database, and so may be at it right now. */
  readonly held?: boolean
}

/** How far a revision in batches has come. */
export interface BatchProgress {
  /** How many rows are in what is done. */
  readonly rows: number
  /** How long that took, in milliseconds. */
  readonly elapsedMs: number
  /** The key as it was declared when the revision was begun; missing where the statement is repeated until it changes nothing. */
  readonly key?: string
  /** The last key that is done, as text. */
  readonly after?: string
  /** The last key that there was when the revision was begun, as text. */
  readonly end?: string
}

/**
 * What an unfinished statement has left: the server is still at it; an index that is not valid; or everything it was to
 * do, only the record of it is missing.
 */
export type Leftover =
  | { readonly kind: 'working'; readonly pid: number }
  // The name is qualified and quoted as SQL needs it.
  | { readonly kind: 'invalid-index'; readonly name: string }
  | { readonly kind: 'carried-out' }

/** A half-done revision as a problem, with the way on. */
export function describeHalfDone(halfDone: HalfDone, revision: Revision | undefined): Problem {
  const { id, direction, statement, left } = halfDone
  const name = revision ? nameRevision(revision) : id
  const verb = direction === 'up' ? 'applied' : 'reverted'
  return {
    code: 'HALF_DONE',
    revision: id,
    ...(revision && { file: scriptFile(revision, direction) }),
    ...(statement !== undefined && { statement }),
    ...(left?.kind === 'working' && { pid: left.pid }),
    message: `${name} is half ${verb}: ${describeDone(halfDone)}${describeLeftover(left)}`,
    hint: howToGoOn(halfDone, revision),
  }
}

/** How much of a half-done revision is done, in words. */
export function describeDone({ done, total, batch, own }: Pick<HalfDone, 'done' | 'total' | 'batch' | 'own'>): string {
  if (own) return 'it has transactions of its own, and which of them were committed is not recorded'
  if (!batch) return `${done} of ${total} ${total === 1 ? 'statement is' : 'statements are'} done`
  const rows = `${batch.rows} ${batch.rows === 1 ? 'row' : 'rows'}`
  return `${done} ${done === 1 ? 'batch' : 'batches'} with ${rows} ${done === 1 ? 'is' : 'are'} done`
}

/**
 * Whether an upgrade goes on with a half-done revision without being told to: it is in batches, each of which was a transaction, and
 * they are still declared as they were.
 */
export function goesOn({ batch }: HalfDone, revision: Pick<Revision, 'batch'> | undefined): boolean {
  return batch !== undefined && revision?.batch !== undefined && batch.key === revision.batch.range?.key
}

/**
 * The command that goes on with a half-done revision. One that belongs to a phase is gone on with in that phase: what comes
 * after it may have to wait for a deploy.
 */
export function resumeCommand(direction: Direction, revision?: Pick<Revision, 'phase' | 'batch'>): string {
  const resume = direction === 'up' && revision?.batch ? '' : ' --resume'
  const phase = direction === 'up' && revision?.phase ? ` --phase ${revision.phase}` : ''
  return `pnpm migrate ${direction === 'up' ? 'upgrade' : 'downgrade'} -d <database>${resume}${phase}`
}

/** The command that forgets that a half-done revision was begun. */
export function abandonCommand(direction: Direction): string {
  return `pnpm migrate ${direction === 'up' ? 'upgrade' : 'downgrade'} -d <database> --abandon`
}

/** What a contract revision is refused for whose backfill has not come to its end. */
export function describeUnfinishedBackfill(contract: Revision, backfill: Revision): Problem {
  return {
    code: 'BACKFILL_UNFINISHED',
    revision: contract.id,
    file: `${contract.folder}/revision.json`,
    message: `${nameRevision(contract)} (contract) must not run yet: the backfill ${nameRevision(backfill)}, which it comes after, is not finished`,
    hint: `finish that first: ${resumeCommand('up', backfill)}`,
  }
}

function describeLeftover(left: Leftover | undefined): string {
  switch (left?.kind) {
    case undefined:
      return ''
    case 'working':
      return `, and the server is still working on the next one (process ${left.pid})`
    case 'invalid-index':
      return `, and the next one has left the invalid index ${left.name}`
    case 'carried-out':
      return ', and so is the next one, though it was not recorded'
  }
}

function howToGoOn(halfDone: HalfDone, revision: Revision | undefined): string {
  const { direction, left, batch } = halfDone
  if (batch && revision && !goesOn(halfDone, revision)) {
    const before = batch.key === undefined ? '"until": "unchanged"' : `"key": ${JSON.stringify(batch.key)}`
    return `write ${before} into the "batch" of ${revision.folder}/revision.json, with which it was begun; or forget that it was begun with: ${abandonCommand(direction)}`
  }
  const again = halfDone.own ? 'run all of it again' : 'go on'
  const command = `${resumeCommand(direction, revision)}; or forget that it was begun with: ${abandonCommand(direction)}`
  if (left?.kind === 'working') {
    return `wait until it has ended, or end it with: select pg_terminate_backend(${left.pid}); then ${again} with: ${command}`
  }
  const first = left?.kind === 'invalid-index' ? 'drop that index and go on' : again
  return `${first} with: ${command}`
}
