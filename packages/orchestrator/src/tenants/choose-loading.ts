import type { SchemaSnapshot } from '@drover/engine'
import type { History, Problem, Step } from '@drover/history'

import { snapshotCommand } from '../snapshot/choose-snapshot.ts'
import type { SnapshotState } from '../snapshot/snapshot-state.ts'
import type { Database } from '../workspace/discover.ts'

/** What is to be done with a tenant, in order. */
export interface TenantSteps {
  readonly steps: readonly Step[]
  /** What is loaded instead of the first of them, which are those that it stands for. */
  readonly snapshot?: SchemaSnapshot
  /** Why nothing is loaded, where that should be known. */
  readonly warning?: Problem
}

/**
 * Chooses whether a tenant of which there is nothing is made from the snapshot. Pure. Where it is not, its revisions run, which leads to
 * the same.
 * @param steps the upgrade of such a tenant
 */
export function chooseLoading(
  database: Database,
  history: History,
  steps: readonly Step[],
  found: SnapshotState,
): TenantSteps {
  if (found.kind !== 'usable') {
    // A part of the history could not be loaded anyway.
    if (steps.length < history.revisions.length) return { steps }
    const warning = {
      code: 'SNAPSHOT_UNUSED',
      database: database.name,
      message: `new tenants are made by their revisions one by one: ${database.snapshot} ${found.kind === 'missing' ? 'is missing' : found.reason}`,
      hint: `make it anew: ${snapshotCommand(database.name)}`,
    } as const
    return { steps, warning }
  }
  const { snapshot } = found
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const [loaded, others] = [true, false].map((isHeld) =>
    steps.filter(({ revision }) => held.has(revision.id) === isHeld),
  )
  if (held.size === 0 || loaded!.length < held.size) return { steps }
  // Nothing that it stands for comes after a revision that it does not stand for.
  return { steps: [...loaded!, ...others!], snapshot }
}
