import { type HistoryState, readChecksums, readHistoryMeanwhile, type Script } from '@drover/engine'
import {
  comesAfter,
  type Direction,
  findEdited,
  findHeldBack,
  goesOn,
  type History,
  type Phase,
  planDowngrade,
  planUpgrade,
  type Problem,
  type Step,
  type Target,
  type UpgradeOptions,
} from '@drover/history'

import { appliedBefore, appliedIds, findHalfDone, type Status, statusOf } from '../release/status.ts'
import { readSnapshotState, type SnapshotState } from '../snapshot/snapshot-state.ts'
import type { Database } from '../workspace/discover.ts'
import { chooseLoading, type TenantSteps } from './choose-loading.ts'

/** What tenants are to have. */
export interface TenantsWish {
  readonly direction: Direction
  readonly target: Target
  readonly options?: UpgradeOptions & {
    /** The last phase of which an upgrade runs anything. Default: it runs all that the target asks for. */
    readonly phase?: Phase
  }
}

/** What is to be done with a tenant. */
export type TenantPlan =
  | { readonly kind: 'settled'; readonly status: Status }
  | ({ readonly kind: 'steps'; readonly status: Status } & TenantSteps)
  | { readonly kind: 'refused'; readonly status: Status; readonly problems: readonly Problem[] }

/** A database whose history tenants have. */
export interface TenantFiles {
  readonly root: string
  readonly database: Database
  readonly history: History
  /** Checksums of the texts of the up sides, by id, where they were read. */
  readonly texts?: ReadonlyMap<string, string> | undefined
}

/** The same, with what new tenants can be made from. */
export interface TenantHistory extends TenantFiles {
  /** Reads it, once. */
  readonly snapshot: () => Promise<SnapshotState>
}

/** Reads the history that tenants have. @throws {DroverError} for what is wrong with its files */
export async function readTenantHistory(root: string, database: Database): Promise<TenantFiles> {
  const texts = new Map<string, string>()
  return { root, database, history: await readHistoryMeanwhile({ root, folder: database.migrations }, texts), texts }
}

/** Adds the snapshot to a history; nothing is read yet. */
export function withSnapshot(files: TenantFiles): TenantHistory {
  let state: Promise<SnapshotState> | undefined
  return { ...files, snapshot: () => (state ??= readSnapshotState(files.root, files.database, files.history)) }
}

/**
 * Plans what is to be done with a tenant that has had certain revisions. Reads files alone. Tenants in the same state have the same
 * plan, so ten thousand of them need a handful.
 */
export async function planTenant(
  { root, database, history, texts, snapshot }: TenantHistory,
  state: HistoryState,
  { direction, target, options }: TenantsWish,
): Promise<TenantPlan> {
  const status = statusOf({ history, state })
  const halfDone = findHalfDone({ database, history, state })
  const begun = state.halfDone && history.byId.get(state.halfDone.id)
  const isGoneOn = state.halfDone && begun && state.halfDone.direction === direction && goesOn(state.halfDone, begun)
  if (halfDone && !isGoneOn) return { kind: 'refused', status, problems: [halfDone] }
  const applied = appliedBefore(state)
  const plan =
    direction === 'up' ? planUpgrade(history, applied, target, options) : planDowngrade(history, applied, target)
  if (plan.kind === 'refused') return { kind: 'refused', status, problems: plan.problems }
  if (direction === 'up') {
    const ids = appliedIds(state)
    const known = history.revisions.filter((revision) => ids.has(revision.id))
    const edited = findEdited(history, state.applied, await readChecksums(root, known, state.applied, texts))
    if (edited.length > 0) return { kind: 'refused', status, problems: edited }
  }
  const steps = options?.phase ? withoutLater(history, plan.steps, applied, options.phase) : plan.steps
  if (steps.length === 0) return { kind: 'settled', status }
  const isNew = direction === 'up' && state.applied.length === 0 && !state.halfDone
  return { kind: 'steps', status, ...(isNew ? chooseLoading(database, history, steps, await snapshot()) : { steps }) }
}

/** The steps that run with a phase: not those of a later one, nor what comes after one of those. */
function withoutLater(
  history: History,
  steps: readonly Step[],
  applied: ReadonlySet<string>,
  phase: Phase,
): readonly Step[] {
  const missing = history.revisions.filter(({ id }) => !applied.has(id))
  const nodes = missing.map((revision) => ({ ...revision, after: comesAfter(revision) }))
  const held = findHeldBack(nodes, phase)
  return steps.filter(({ revision }) => !held.has(revision.id))
}

/** The scripts of steps, read once for all tenants. */
export type ScriptsOf = (steps: readonly Step[]) => Promise<readonly Script[]>
