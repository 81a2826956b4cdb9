import type { SchemaSnapshot, TransactionScope } from '@drover/engine'
import type { Problem } from '@drover/history'

import type { Segment } from '../release/interleave.ts'
import type { DatabasePlan } from '../release/plan-release.ts'
import { isMirror } from '../workspace/discover.ts'
import type { SnapshotState } from './snapshot-state.ts'

/** What snapshots there are to choose from, and how. */
export interface SnapshotChoice {
  /** By database; of those that are to be made from their snapshot, where that is possible. */
  readonly snapshots: ReadonlyMap<string, SnapshotState>
  /** Whether that was asked for, so that it is said whenever it is not possible. Default `false`. */
  readonly isAsked?: boolean
  readonly transaction?: TransactionScope | undefined
}

/** What a database is made from, or why it is not made from its snapshot. */
export interface Choice {
  readonly snapshot?: SchemaSnapshot
  readonly warning?: Problem
}

/**
 * Chooses whether an empty database is made from its snapshot. Pure. Where it is not, its revisions run, which leads to the same;
 * a warning says why, unless that goes without saying.
 * @param segments of the release
 */
export function chooseSnapshot(
  plan: DatabasePlan,
  segments: readonly Segment[],
  { snapshots, isAsked = false, transaction }: SnapshotChoice,
): Choice {
  const { member, steps } = plan
  const { database, state } = member
  const found = snapshots.get(database.name)
  if (!found || steps.length === 0) return {}
  const say = (reason: string, hint: string): Choice => ({
    warning: {
      code: 'SNAPSHOT_UNUSED',
      database: database.name,
      message: `the revisions run one by one: ${reason}`,
      hint,
    },
  })
  const sayIfAsked = (reason: string, hint: string) => (isAsked ? say(reason, hint) : {})
  if (state.applied.length > 0 || state.halfDone) {
    return sayIfAsked('the database has had some already', 'leave --from-snapshot out: it is for an empty database')
  }
  const isWhole = steps.length === member.history.revisions.length
  const remake = `make it anew: ${snapshotCommand(database.name)}`
  if (found.kind !== 'usable') {
    const reason = `${database.snapshot} ${found.kind === 'missing' ? 'is missing' : found.reason}`
    return isAsked || (isWhole && isMirror(database)) ? say(reason, remake) : {}
  }
  const { snapshot } = found
  if (snapshot.revisions.length === 0) return sayIfAsked(`${database.snapshot} is of an empty history`, remake)
  const planned = new Set(steps.map(({ revision }) => revision.id))
  if (snapshot.revisions.some(({ id }) => !planned.has(id))) {
    return sayIfAsked(`${database.snapshot} goes further than the target`, 'upgrade to head')
  }
  const first = segments.find((segment) => segment.database === plan)
  const together = new Set(first?.steps.map(({ revision }) => revision.id))
  if (snapshot.revisions.some(({ id }) => !together.has(id))) {
    return say(
      'revisions of other databases come in between',
      `upgrade ${database.name} alone when those have been applied`,
    )
  }
  if (transaction === 'all' && snapshot.revisions.length < steps.length) {
    return say(`${database.snapshot} is older than the history, and all is to be one transaction`, remake)
  }
  return { snapshot }
}

/** The command that writes the snapshot of a database. */
export function snapshotCommand(database: string): string {
  return `pnpm migrate snapshot -d ${database}`
}
