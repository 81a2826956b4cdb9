import { randomUUID } from 'node:crypto'

import { findScriptProblems, type LeaseHolder, readScript, readState, recordStamp } from '@drover/engine'
import { DroverError, planStamp, type Problem, type Revision, type Target, throwProblems } from '@drover/history'

import { type Member, problemsOf } from './fleet.ts'
import { type Held, holdAll, type HoldOptions, onEach, refuseObstacles } from './hold.ts'
import { databasesOfTarget } from './plan-release.ts'
import { appliedIds, findHalfDone } from './status.ts'

/** What is changed in the record of one database. */
export interface DatabaseStamp {
  readonly member: Member
  /** Ids to forget, later ones first; the files need not know them. */
  readonly forget: readonly string[]
  /** What to record after that, in run order. */
  readonly record: readonly Revision[]
}

/** The stamps of several databases, or everything that keeps any of them from having one. */
export type StampsResult =
  | { readonly ok: true; readonly stamps: readonly DatabaseStamp[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** How it went on one database. A stamp is carried out as a whole or not at all. */
export interface StampOutcome {
  readonly stamp: DatabaseStamp
  readonly end: 'nothing-to-do' | 'done' | 'failed' | 'not-tried'
  /** Why it failed. */
  readonly problem?: Problem
}

/** How stamps are carried out. */
export interface StampOptions extends HoldOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  /** Called when another run holds a database. */
  readonly onWaiting?: (database: string, holder: LeaseHolder) => void
  /** Whether revisions may be recorded whose SQL is not there, because another tool has run something else. Default `false`. */
  readonly acceptUnfilled?: boolean
}

/**
 * The targets of each database, in the order of `selected`. A target without a database is for all of them; a database that
 * no target is for is left out.
 * @throws {DroverError} as `databasesOfTarget` does
 */
export function targetsByDatabase(
  targets: readonly Target[],
  selected: readonly string[],
): ReadonlyMap<string, readonly Target[]> {
  const uses = targets.flatMap((target) =>
    databasesOfTarget(target, selected, 'stamp').map((database) => ({ database, target })),
  )
  const byDatabase = Map.groupBy(uses, ({ database }) => database)
  return new Map(
    selected
      .filter((name) => byDatabase.has(name))
      .map((name) => [name, byDatabase.get(name)!.map(({ target }) => target)]),
  )
}

/**
 * Plans what becomes of the records of databases so that they stand at their targets. Touches nothing.
 * @param targets by the name of the database
 */
export function planStamps(
  members: readonly Member[],
  targets: ReadonlyMap<string, readonly Target[]>,
  { purge }: { readonly purge: boolean },
): StampsResult {
  const problems: Problem[] = []
  const stamps: DatabaseStamp[] = []
  for (const member of members) {
    const { name } = member.database
    const halfDone = findHalfDone(member)
    if (halfDone) {
      problems.push(halfDone)
      continue
    }
    const plan = planStamp(member.history, appliedIds(member.state), targets.get(name) ?? [], { purge })
    if (plan.kind === 'refused') problems.push(...plan.problems.map((problem) => ({ ...problem, database: name })))
    else stamps.push({ member, forget: plan.forget, record: plan.record.map((id) => member.history.byId.get(id)!) })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, stamps }
}

/** Whether a stamp changes nothing. */
export function isEmptyStamp({ forget, record }: DatabaseStamp): boolean {
  return forget.length === 0 && record.length === 0
}

/**
 * Carries stamps out, one database after the other, and stops at the first that fails. Creates Drover's tables where they
 * are missing. Everything that can be refused is refused before anything is recorded anywhere.
 * @returns an outcome for each stamp, in their order; failures are outcomes, not errors
 * @throws {DroverError} for what was refused: files that cannot be read or are still to be filled in, databases held by
 * another run or changed since the plan was made; `INTERRUPTED` when the signal came while waiting for a lease
 */
export async function runStamps(
  stamps: readonly DatabaseStamp[],
  options: StampOptions,
): Promise<readonly StampOutcome[]> {
  const work = stamps.filter((stamp) => !isEmptyStamp(stamp))
  const checksums = await readAllChecksums(work, options)
  const members = work.map(({ member }) => member)
  await refuseObstacles(members)
  await using leases = new AsyncDisposableStack()
  const taken = await holdAll(members, randomUUID(), leases, options, options.onWaiting)
  await onEach(members, refuseMoved)
  const held = new Map(work.map((stamp, at) => [stamp, taken[at]!]))

  const outcomes: StampOutcome[] = []
  for (const stamp of stamps) {
    const one = held.get(stamp)
    const stopped = outcomes.some(({ end }) => end === 'failed' || end === 'not-tried') || options.signal?.aborted
    if (!one) outcomes.push({ stamp, end: 'nothing-to-do' })
    else if (stopped) outcomes.push({ stamp, end: 'not-tried' })
    else outcomes.push(await carryOut(stamp, one, checksums.get(stamp)!))
  }
  return outcomes
}

async function readAllChecksums(
  stamps: readonly DatabaseStamp[],
  { root, acceptUnfilled = false }: StampOptions,
): Promise<ReadonlyMap<DatabaseStamp, ReadonlyMap<string, string>>> {
  const problems: Problem[] = []
  const checksums = new Map<DatabaseStamp, ReadonlyMap<string, string>>()
  for (const stamp of stamps) {
    const { name } = stamp.member.database
    try {
      const scripts = await Promise.all(stamp.record.map((revision) => readScript(root, revision, 'up')))
      // Its checksum would be that of a file which has to be edited. What else is wrong with it does not matter: it is not run.
      const unfilled = scripts.flatMap(findScriptProblems).filter(({ code }) => code === 'UNFILLED')
      if (!acceptUnfilled) problems.push(...unfilled.map((problem) => ({ ...problem, database: name })))
      checksums.set(stamp, new Map(scripts.map((script) => [script.revision.id, script.checksum])))
    } catch (error) {
      problems.push(...problemsOf(error, name))
    }
  }
  throwProblems(problems)
  return checksums
}

/** Looks again at what is applied: the other run that held the lease may have changed it. */
async function refuseMoved(member: Member): Promise<void> {
  const state = await readState(member.connection, member.database.name)
  const halfDone = findHalfDone({ ...member, state }, { isHolder: true })
  if (halfDone) throw new DroverError(halfDone)
  const now = appliedIds(state)
  const planned = appliedIds(member.state)
  if (now.size !== planned.size || [...now].some((id) => !planned.has(id))) {
    throw new DroverError({
      code: 'STATE_MOVED',
      message: 'another run has changed what is applied since this stamp was planned',
      hint: 'run the same command again: it plans anew',
    })
  }
}

async function carryOut(
  stamp: DatabaseStamp,
  { run, lease }: Held,
  checksums: ReadonlyMap<string, string>,
): Promise<StampOutcome> {
  const { member, forget, record } = stamp
  try {
    await recordStamp(member.connection, {
      run,
      token: lease.token,
      applied: [...appliedIds(member.state)],
      forget,
      record: record.map(({ id }) => ({ id, checksum: checksums.get(id)! })),
    })
    return { stamp, end: 'done' }
  } catch (error) {
    return { stamp, end: 'failed', problem: problemsOf(error, member.database.name)[0]! }
  }
}
