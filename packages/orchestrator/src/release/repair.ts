import { randomUUID } from 'node:crypto'

import { type ChecksumRepair, type LeaseHolder, recordRepair } from '@drover/engine'
import { findEdited, findReformatted, type Problem, type Revision } from '@drover/history'

import type { Member } from './fleet.ts'
import { holdAll, type HoldOptions, naming } from './hold.ts'

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
export interface RepairOptions extends HoldOptions {
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
  await using leases = new AsyncDisposableStack()
  const work = databases.filter(({ checksums }) => checksums.length > 0)
  const members = work.map(({ member }) => member)
  const held = await holdAll(members, randomUUID(), leases, options, options.onWaiting)
  for (const [at, { member, checksums }] of work.entries()) {
    const { run, lease } = held[at]!
    const change = { run, token: lease.token, repairs: checksums }
    await naming(member.database.name, () => recordRepair(member.connection, change))
  }
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
