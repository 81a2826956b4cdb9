import { randomUUID } from 'node:crypto'

import {
  abandonRevision,
  type Abandoned,
  checksumOfStatements,
  type LeaseHolder,
  type Progress,
  readLeftover,
  readProgress,
  readScript,
} from '@drover/engine'
import { describeHalfDone, type Direction, DroverError, type Problem, type Revision } from '@drover/history'

import { type Member, problemsOf } from './fleet.ts'
import { type Held, holdAll, type HoldOptions } from './hold.ts'

/** The half-done revision of one database, which is to be forgotten. */
export interface Abandonment {
  readonly member: Member
  readonly begun: Progress
  /** Missing when its folder is gone. */
  readonly revision: Revision | undefined
  /** How many of its statements, or batches, are done, recorded or not, and stay. */
  readonly done: number
  /** Those statements. Missing when its file no longer tells, and where statements are not what is counted. */
  readonly kept?: readonly string[]
  /** The invalid index that its unfinished statement has left, which is dropped, as SQL needs its name. */
  readonly invalidIndex?: string
}

/** What is to be abandoned, or everything that keeps any of it from being abandoned. */
export type AbandonmentsResult =
  | { readonly ok: true; readonly abandonments: readonly Abandonment[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** How it went on one database. */
export interface AbandonmentOutcome extends Abandoned {
  readonly abandonment: Abandonment
  readonly end: 'done' | 'failed' | 'not-tried'
  /** Why it failed. */
  readonly problem?: Problem
}

/** How revisions are abandoned. */
export interface AbandonOptions extends HoldOptions {
  /** Called when another run holds one of the databases. */
  readonly onWaiting?: (database: string, holder: LeaseHolder) => void
}

/**
 * Finds the revisions that were half done in a direction. Refused: one that was half done in the other direction, and one that the
 * server is still working on. Touches nothing.
 * @param root absolute path of the workspace's root
 */
export async function planAbandonments(
  members: readonly Member[],
  direction: Direction,
  root: string,
): Promise<AbandonmentsResult> {
  const found = await Promise.all(members.map((member) => planAbandonment(member, direction, root)))
  const problems = found.flatMap((one) => (one && 'code' in one ? [one] : []))
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, abandonments: found.flatMap((one) => (one && !('code' in one) ? [one] : [])) }
}

async function planAbandonment(
  member: Member,
  direction: Direction,
  root: string,
): Promise<Abandonment | Problem | undefined> {
  const { connection, database, history, state } = member
  const begun = state.halfDone && (await readProgress(connection, { history: database.name }))
  if (!begun) return undefined
  const left = await readLeftover(connection, { history: database.name }, begun)
  const revision = history.byId.get(begun.halfDone.id)
  if (begun.halfDone.direction !== direction || left?.kind === 'working') {
    const halfDone = { ...begun.halfDone, ...(left && { left }) }
    return { ...describeHalfDone(halfDone, revision), database: database.name }
  }
  const done = begun.halfDone.done + (left?.kind === 'carried-out' ? 1 : 0)
  const isCounted = !begun.halfDone.own && !begun.halfDone.batch
  const kept = revision && isCounted && (await readKept(root, revision, begun, done))
  return {
    member,
    begun,
    revision,
    done,
    ...(kept && { kept }),
    ...(left?.kind === 'invalid-index' && { invalidIndex: left.name }),
  }
}

/** The statements that are done, if the file still is what the database has had. */
async function readKept(
  root: string,
  revision: Revision,
  { halfDone, checksum }: Progress,
  done: number,
): Promise<readonly string[] | undefined> {
  try {
    const { statements } = await readScript(root, revision, halfDone.direction)
    if (checksumOfStatements(statements.slice(0, halfDone.done)) !== checksum) return undefined
    // The one that was carried out and not recorded is remembered as it stood in the file.
    const recorded = statements.slice(0, halfDone.done).map(({ text }) => text)
    return done > recorded.length ? [...recorded, halfDone.statement ?? ''] : recorded
  } catch (error) {
    if (error instanceof DroverError) return undefined
    throw error
  }
}

/**
 * Abandons revisions, one database after the other, and stops at the first that fails. The leases of all are taken before anything
 * is changed.
 * @returns an outcome for each, in their order; failures are outcomes, not errors
 * @throws {DroverError} when another run holds one of them, `INTERRUPTED` when the signal came while waiting
 */
export async function runAbandonments(
  abandonments: readonly Abandonment[],
  options: AbandonOptions,
): Promise<readonly AbandonmentOutcome[]> {
  await using leases = new AsyncDisposableStack()
  const members = abandonments.map(({ member }) => member)
  const held = await holdAll(members, randomUUID(), leases, options, options.onWaiting)
  const outcomes: AbandonmentOutcome[] = []
  for (const [at, abandonment] of abandonments.entries()) {
    const isStopped = outcomes.some(({ end }) => end !== 'done') || options.signal?.aborted === true
    outcomes.push(isStopped ? { abandonment, end: 'not-tried' } : await carryOut(abandonment, held[at]!))
  }
  return outcomes
}

async function carryOut(abandonment: Abandonment, { run, lease }: Held): Promise<AbandonmentOutcome> {
  const { member, begun, revision } = abandonment
  try {
    const abandoned = await abandonRevision(member.connection, { run, token: lease.token, begun, revision })
    return { abandonment, end: 'done', ...abandoned }
  } catch (error) {
    return { abandonment, end: 'failed', problem: problemsOf(error, member.database.name)[0]! }
  }
}
