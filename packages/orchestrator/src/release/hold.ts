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
 * Takes the leases of several databases, and creates Drover's tables where they are missing. First all are asked for at once,
 * waiting for none. When another run has one of them, the others are given back, and they are waited for one after the other by
 * their names: the order is the same for every run, so no two of them wait for each other.
 * @param leases what is taken; the caller gives it back
 * @throws {DroverError} `LOCKED`, or `INTERRUPTED` when the signal came while waiting
 */
export async function holdAll(
  members: readonly Member[],
  release: string,
  leases: AsyncDisposableStack,
  options: HoldOptions,
  onWaiting?: (database: string, holder: LeaseHolder) => void,
): Promise<readonly Held[]> {
  const fresh = members.filter((member) => !member.state.initialised)
  await onEach(fresh, ({ connection }) => ensureStore(connection))
  const taken = new Map<Member, Held>()
  const giveBack = async () => {
    await Promise.all([...taken.values()].map(({ lease }) => lease[Symbol.asyncDispose]()))
    taken.clear()
  }
  leases.defer(giveBack)
  const take = async (member: Member, waitMs?: number) => {
    taken.set(member, await hold(member, release, waitMs, options, onWaiting))
  }

  // Two runs that may not wait could each be refused for what the other is about to give back.
  const isAskedAtOnce = options.waitLockMs !== 0
  if (!isAskedAtOnce || !(await isFree(onEach(members, (member) => take(member, 0))))) {
    await giveBack()
    for (const member of members.toSorted((a, b) => (a.database.name < b.database.name ? -1 : 1))) {
      await naming(member.database.name, () => take(member, options.waitLockMs))
    }
  }
  return members.map((member) => taken.get(member)!)
}

/** Whether all leases could be taken; `false` when another run has one of them. */
async function isFree(taking: Promise<unknown>): Promise<boolean> {
  try {
    await taking
    return true
  } catch (error) {
    if (error instanceof DroverError && error.problems.every(({ code }) => code === 'LOCKED')) return false
    throw error
  }
}

/** Takes the lease of one database. */
async function hold(
  member: Member,
  release: string,
  waitMs: number | undefined,
  { command, actor, signal }: HoldOptions,
  onWaiting?: (database: string, holder: LeaseHolder) => void,
): Promise<Held> {
  const { name } = member.database
  const run: Run = { id: randomUUID(), release, history: name, command, actor }
  const lease = await acquireLease(member.connection, run, {
    ...(waitMs !== undefined && { waitMs }),
    ...(signal && { signal }),
    onWaiting: (holder) => onWaiting?.(name, holder),
  })
  return { run, lease }
}

/**
 * Does something on several databases side by side.
 * @throws {DroverError} when all have ended, with what went wrong on any of them, in their order
 */
export async function onEach<Result>(
  members: readonly Member[],
  act: (member: Member, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const settled = await Promise.allSettled(members.map(act))
  throwProblems(
    settled.flatMap((one, index) =>
      one.status === 'rejected' ? problemsOf(one.reason, members[index]!.database.name) : [],
    ),
  )
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
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
