import { randomUUID } from 'node:crypto'

import {
  acquireLease,
  type Actor,
  ensureStore,
  findStoreObstacle,
  type Lease,
  type LeaseHolder,
  type Run,
} from '@drover/engine'
import { DroverError, throwProblems } from '@drover/history'

import { type Member, problemsOf } from './fleet.ts'

/** A database that is held for one run. */
export interface Held {
  readonly run: Run
  readonly lease: Lease
}

/** Who holds databases, and how. */
export interface HoldOptions {
  /** The command as it was typed, for the records. */
  readonly command: string
  readonly actor: Actor
  /** How long to wait for another run, in milliseconds. Default 60,000. */
  readonly waitLockMs?: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

/**
 * Refuses databases that Drover has never touched and may not touch, before any other has had anything.
 * @throws {DroverError} `PRIVILEGE_MISSING`, for all of them at once
 */
export async function refuseObstacles(members: readonly Member[]): Promise<void> {
  const fresh = members.filter((member) => !member.state.initialised)
  const obstacles = await Promise.all(fresh.map((member) => findStoreObstacle(member.connection)))
  throwProblems(
    obstacles.flatMap((obstacle, index) => (obstacle ? [{ ...obstacle, database: fresh[index]!.database.name }] : [])),
  )
}

/**
 * Takes the lease of a database, and creates Drover's tables where they are missing.
 * @param leases what is taken; the caller gives it back
 * @throws {DroverError} `LOCKED`, or `INTERRUPTED` when the signal came while waiting
 */
export async function hold(
  member: Member,
  release: string,
  leases: AsyncDisposableStack,
  options: HoldOptions,
  onWaiting?: (database: string, holder: LeaseHolder) => void,
): Promise<Held> {
  const { name } = member.database
  const { command, actor, waitLockMs, signal } = options
  const run: Run = { id: randomUUID(), release, history: name, command, actor }
  if (!member.state.initialised) await ensureStore(member.connection)
  const lease = await acquireLease(member.connection, run, {
    ...(waitLockMs !== undefined && { waitMs: waitLockMs }),
    ...(signal && { signal }),
    onWaiting: (holder) => onWaiting?.(name, holder),
  })
  return { run, lease: leases.use(lease) }
}

/** Does something on a database; what it throws becomes an error whose problems name that database. */
export async function naming<Result>(database: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    const [first, ...others] = problemsOf(error, database)
    throw new DroverError([first!, ...others], { cause: error })
  }
}
