import type { SchemaSnapshot } from '@drover/engine'
import {
  descendantsOf,
  describeUnfinishedBackfill,
  type Direction,
  DroverError,
  findEdited,
  findReformatted,
  formatTarget,
  goesOn,
  isLaterPhase,
  type Phase,
  planDowngrade,
  planUpgrade,
  type Problem,
  type Revision,
  type Step,
  type Target,
  type UpgradeOptions,
} from '@drover/history'

import type { Member } from './fleet.ts'
import { interleave, type Neighbour, type Segment } from './interleave.ts'
import { type HeldBack, holdBack } from './phases.ts'
import { chooseSnapshot, type SnapshotChoice } from '../snapshot/choose-snapshot.ts'
import { findEditedForAll, type TenantsPlan } from '../tenants/survey.ts'
import { hasTenants } from '../workspace/discover.ts'
import { appliedBefore, findHalfDone, statusOf, type Status } from './status.ts'

/** What a release will do, database by database, in the order in which it does it. Pure data. */
export interface ReleasePlan {
  readonly direction: Direction
  readonly databases: readonly DatabasePlan[]
  /** The steps of all databases in the order in which they run. */
  readonly segments: readonly Segment[]
  /** What should be known, and keeps nothing from being run. */
  readonly warnings: readonly Problem[]
}

/** The steps of one database. */
export interface DatabasePlan {
  readonly member: Member
  readonly status: Status
  readonly steps: readonly Step[]
  /** What is loaded instead of running the steps that it stands for, which are among them. */
  readonly snapshot?: SchemaSnapshot
  /** The first revisions that have to wait for a later phase. None when it is missing. */
  readonly heldBack?: readonly HeldBack[]
  /** How its tenants stand, and what is done on them. Missing for a database without. */
  readonly tenants?: TenantsPlan
}

/** Options of planning a release. */
export interface PlanOptions extends UpgradeOptions {
  /** The last phase of which an upgrade runs anything. Default: it runs all that the target asks for. */
  readonly phase?: Phase
  /** Whether a revision that is half done is gone on with; otherwise it is refused. Default `false`. */
  readonly resume?: boolean
  /** How tenants stand, by database. Default: there are none. */
  readonly tenants?: ReadonlyMap<string, TenantsPlan>
  /** Which databases are made from snapshots, if they are empty. Default: none. */
  readonly fromSnapshot?: SnapshotChoice
}

/** A plan, or everything that keeps any of the databases from having one. */
export type ReleasePlanResult =
  | { readonly ok: true; readonly plan: ReleasePlan }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Plans a release over the members: upgrades in the order of the databases, downgrades in reverse, and either way as their
 * revisions depend on each other. Touches nothing.
 * @param checksums of the applied revisions' files, by database; upgrades are refused where their statements differ from
 * what was applied, and warn where the rest of a file does
 */
export function planRelease(
  members: readonly Member[],
  direction: Direction,
  target: Target,
  checksums: ReadonlyMap<string, ReadonlyMap<string, string>>,
  neighbours: readonly Neighbour[] = [],
  options: PlanOptions = {},
): ReleasePlanResult {
  const problems: Problem[] = []
  const reformatted: Problem[] = []
  const databases: DatabasePlan[] = []
  for (const member of direction === 'up' ? members : members.toReversed()) {
    if (hasTenants(member.database)) {
      const tenants = options.tenants?.get(member.database.name)
      databases.push({ member, status: statusOf(member), steps: [], ...(tenants && { tenants }) })
      const edited = direction === 'up' && tenants ? findEditedForAll(tenants.survey) : []
      problems.push(...edited.map((problem) => ({ ...problem, database: member.database.name })))
      continue
    }
    if (direction === 'up' && isSettledAt(member, target)) {
      databases.push({ member, status: statusOf(member), steps: [] })
      continue
    }
    const begun = findBegun(member, direction, target, options)
    const halfDone = begun ? undefined : findHalfDone(member)
    // Whatever else there is to say follows from it.
    if (halfDone) {
      problems.push(halfDone, ...(direction === 'up' ? findEarlyContract(member, target, options) : []))
      continue
    }
    const applied = appliedBefore(member.state)
    const plan =
      direction === 'up'
        ? planUpgrade(member.history, applied, target, options)
        : planDowngrade(member.history, applied, target)
    const about = (problem: Problem): Problem => ({ ...problem, database: member.database.name })
    if (plan.kind === 'refused') problems.push(...plan.problems.map(about))
    if (direction === 'up') {
      const files = checksums.get(member.database.name) ?? new Map<string, string>()
      problems.push(...findEdited(member.history, member.state.applied, files).map(about))
      reformatted.push(...findReformatted(member.history, member.state.applied, files).map(about))
    }
    if (plan.kind === 'steps') {
      const others = plan.steps.filter((step) => step.revision !== begun)
      const steps = begun ? [{ direction, revision: begun }, ...others] : plan.steps
      databases.push({ member, status: statusOf(member), steps })
    }
  }
  if (problems.length > 0) return { ok: false, problems }
  const { phase } = options
  const taken = direction === 'up' && phase ? holdBack(databases, neighbours, phase, target) : databases
  const { segments, warnings, problems: unmet } = interleave(direction, taken, neighbours)
  if (unmet.length > 0) return { ok: false, problems: unmet }
  const plan = { direction, databases: taken, segments, warnings: [...reformatted, ...warnings] }
  return { ok: true, plan: direction === 'up' && options.fromSnapshot ? load(plan, options.fromSnapshot) : plan }
}

/** Whether it is known, without looking at its revisions, that an upgrade to a target has nothing to do on a database. */
function isSettledAt({ settled }: Member, { branch, anchor, steps }: Target): boolean {
  if (!settled || branch !== undefined || steps !== 0) return false
  return anchor?.kind === 'heads' || (anchor?.kind === 'head' && settled.heads.length === 1)
}

/** The same plan, with the snapshots that empty databases are made from. */
function load(plan: ReleasePlan, choice: SnapshotChoice): ReleasePlan {
  const chosen = new Map(
    plan.databases.map((database) => [database, chooseSnapshot(database, plan.segments, choice)] as const),
  )
  const loading = new Map(
    plan.databases.map((database) => {
      const snapshot = chosen.get(database)?.snapshot
      return [database, snapshot ? { ...database, snapshot } : database] as const
    }),
  )
  return {
    ...plan,
    databases: [...loading.values()],
    segments: plan.segments.map((segment) => ({ ...segment, database: loading.get(segment.database)! })),
    warnings: [...plan.warnings, ...[...chosen.values()].flatMap(({ warning }) => warning ?? [])],
  }
}

/**
 * The first contract revision that is asked for and comes after a backfill that is half done, as a problem: it would take
 * away what the backfill still reads.
 */
function findEarlyContract(member: Member, target: Target, { phase, ...options }: PlanOptions): readonly Problem[] {
  const { database, history, state } = member
  const backfill = state.halfDone?.direction === 'up' ? history.byId.get(state.halfDone.id) : undefined
  if (backfill?.phase !== 'backfill' || (phase && isLaterPhase('contract', phase))) return []
  const plan = planUpgrade(history, appliedBefore(state), target, options)
  const later = descendantsOf(history, [backfill.id])
  const steps = plan.kind === 'steps' ? plan.steps : []
  const contract = steps.find(({ revision }) => revision.phase === 'contract' && later.has(revision.id))
  if (!contract) return []
  return [{ ...describeUnfinishedBackfill(contract.revision, backfill), database: database.name }]
}

/**
 * The half-done revision of a database that comes first: because it is to be gone on with, or goes on by itself, or because
 * another run is at it, which will be waited for.
 */
function findBegun(member: Member, direction: Direction, target: Target, options: PlanOptions): Revision | undefined {
  const { halfDone } = member.state
  if (halfDone?.direction !== direction) return undefined
  const revision = member.history.byId.get(halfDone.id)
  const isAllowed = halfDone.held === true || (options.resume === true && halfDone.left?.kind !== 'working')
  if (isAllowed) return revision
  return revision && goesOn(halfDone, revision) && isAskedFor(revision, member, target, options) ? revision : undefined
}

/** Whether an upgrade is to apply a revision. */
function isAskedFor(
  revision: Revision,
  { history, state }: Member,
  target: Target,
  { phase, ...options }: PlanOptions,
): boolean {
  if (phase && revision.phase && isLaterPhase(revision.phase, phase)) return false
  const plan = planUpgrade(history, appliedBefore(state), target, options)
  return plan.kind === 'steps' && plan.steps.some((step) => step.revision === revision)
}

/**
 * Narrows names to the database that a target is for. A revision that is meant for one of several databases has to
 * say which.
 * @throws {DroverError} `USAGE`
 */
export function databasesOfTarget(target: Target, selected: readonly string[], command: string): readonly string[] {
  if (target.database !== undefined) {
    if (selected.includes(target.database)) return [target.database]
    throw new DroverError({
      code: 'DATABASE_UNKNOWN',
      message: `the target is for "${target.database}", which is not among: ${selected.join(', ')}`,
      hint: 'correct the name before the "/", or the databases given with --database',
    })
  }
  const named = target.branch ?? (target.anchor?.kind === 'name' ? target.anchor.name : undefined)
  if (named !== undefined && selected.length > 1) {
    throw new DroverError({
      code: 'USAGE',
      message: `revision "${named}" is given to ${selected.length} databases, and belongs to one of them`,
      hint: `say which: pnpm migrate ${command} <database>/${formatTarget(target)} (${selected.join(', ')})`,
    })
  }
  return selected
}
