import type { HistoryState } from '@drover/engine'
import { currentOf, describeHalfDone, findGaps, findUnknown, type History, type Problem } from '@drover/history'

import type { Member } from './fleet.ts'

/** Where a database stands in its history. */
export interface Status {
  readonly current: readonly string[]
  readonly heads: readonly string[]
  /** What it has not had, in run order. */
  readonly pending: readonly string[]
  readonly state: 'up-to-date' | 'behind' | 'ahead' | 'diverged'
}

/** Compares what is applied with the files, unless it is known how they compare. */
export function statusOf(member: Pick<Member, 'history' | 'settled'> & { readonly state: HistoryState }): Status {
  if (member.settled) return member.settled
  const { history, state } = member
  const applied = appliedIds(state)
  const pending = history.revisions.filter((revision) => !applied.has(revision.id)).map((revision) => revision.id)
  return {
    current: currentOf(history, applied),
    heads: history.heads.map((revision) => revision.id),
    pending,
    state: classify(history, applied, pending.length),
  }
}

/** The ids of what is applied. */
export function appliedIds(state: HistoryState): ReadonlySet<string> {
  return new Set(state.applied.map((row) => row.id))
}

/** The ids of what is applied, and of what is half reverted: it was applied when that was begun. */
export function appliedBefore({ applied, halfDone }: HistoryState): ReadonlySet<string> {
  return new Set([...applied.map((row) => row.id), ...(halfDone?.direction === 'down' ? [halfDone.id] : [])])
}

/**
 * The revision of a database that is half done, if there is one, as a problem. While some run holds the database it is none:
 * the revision is under way.
 * @param isHolder whether that run is our own. Default `false`
 */
export function findHalfDone(
  { database, history, state: { halfDone } }: Pick<Member, 'database' | 'history'> & { readonly state: HistoryState },
  { isHolder = false }: { readonly isHolder?: boolean } = {},
): Problem | undefined {
  if (!halfDone || (halfDone.held && !isHolder)) return undefined
  return { ...describeHalfDone(halfDone, history.byId.get(halfDone.id)), database: database.name }
}

function classify(history: History, applied: ReadonlySet<string>, pending: number): Status['state'] {
  if (findGaps(history, applied).length > 0) return 'diverged'
  // It knows revisions that the files do not: of a later checkout, or, when it also lacks some, of another branch.
  if (findUnknown(history, applied).length > 0) return pending === 0 ? 'ahead' : 'diverged'
  return pending === 0 ? 'up-to-date' : 'behind'
}
