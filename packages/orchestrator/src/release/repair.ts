import { randomUUID } from 'node:crypto'

import { acquireLease, type Actor, type ChecksumRepair, type LeaseHolder, recordRepair, type Run } from '@drover/engine'
import { DroverError, findEdited, findReformatted, type Problem, type Revision } from '@drover/history'

import { type Member, problemsOf } from './fleet.ts'

/** The applied revisions of one database whose files have changed in comments or white space only. */
export interface DatabaseRepair {
  readonly member: Member
  readonly revisions: readonly Revision[]
  readonly checksums: readonly ChecksumRepair[]
}

/** What is to be repaired, or everything that keeps the databases from being repaired. */
export type RepairPlan =
  | { readonly ok: true; readonly databases: readonly DatabaseRepair[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** How to run a repair. */
export interface RepairOptions {
  /** The command as it was typed, for the records. */
  readonly command: string
  readonly actor: Actor
  /** How long to wait for another run, in milliseconds. Default 60,000. */
  readonly waitLockMs?: number
  readonly signal?: AbortSignal
  /** Called when another run holds one of the databases. */
  readonly onWaiting?: (database: string, holder: LeaseHolder) => void
}

/**
 * Finds the files to repair. One whose statements have changed refuses the whole: to remember it as it is now would hide that
 * the database has had something else.
 * @param checksums of the applied revisions' files, by database
 */
export function planRepair(
  members: readonly Member[],
  checksums: ReadonlyMap<string, ReadonlyMap<string, string>>,
): RepairPlan {
  const problems = members.flatMap(({ database, history, state }) => {
    const edited = findEdited(history, state.applied, checksums.get(database.name) ?? new Map())
    return edited.map((problem) => ({ ...problem, database: database.name }))
  })
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, databases: members.map((member) => repairOf(member, checksums)) }
}

/**
 * Has the databases remember the files as they are now. The leases of all of them are taken before anything is changed.
 * @throws {DroverError} when another run holds one of them, or has changed it
 */
export async function runRepair(databases: readonly DatabaseRepair[], options: RepairOptions): Promise<void> {
  const release = randomUUID()
  await using leases = new AsyncDisposableStack()
  const ready: (() => Promise<void>)[] = []
  for (const { member, checksums } of databases) {
    if (checksums.length === 0) continue
    const { database, connection } = member
    const run: Run = {
      id: randomUUID(),
      release,
      history: database.name,
      command: options.command,
      actor: options.actor,
    }
    await named(database.name, async () => {
      const lease = await acquireLease(connection, run, {
        ...(options.waitLockMs !== undefined && { waitMs: options.waitLockMs }),
        ...(options.signal && { signal: options.signal }),
        onWaiting: (holder) => options.onWaiting?.(database.name, holder),
      })
      const { token } = leases.use(lease)
      ready.push(() => recordRepair(connection, { run, token, repairs: checksums }))
    })
  }
  const names = databases.filter(({ checksums }) => checksums.length > 0).map(({ member }) => member.database.name)
  for (const [index, repair] of ready.entries()) await named(names[index]!, repair)
}

function repairOf(member: Member, checksums: ReadonlyMap<string, ReadonlyMap<string, string>>): DatabaseRepair {
  const { database, history, state } = member
  const files = checksums.get(database.name) ?? new Map<string, string>()
  const ids = new Set(findReformatted(history, state.applied, files).map((problem) => problem.revision))
  const revisions = history.revisions.filter((revision) => ids.has(revision.id))
  const recorded = new Map(state.applied.map((row) => [row.id, row.checksum]))
  return {
    member,
    revisions,
    checksums: revisions.map(({ id }) => ({ id, from: recorded.get(id)!, to: files.get(id)! })),
  }
}

async function named(database: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    const [first, ...others] = problemsOf(error, database)
    throw new DroverError([first!, ...others], { cause: error })
  }
}
