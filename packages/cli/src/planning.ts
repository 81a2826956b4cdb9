import { readChecksums, type TransactionScope } from '@drover/engine'
import { type Direction, parseTarget, type Phase, type Problem, type Target } from '@drover/history'
import {
  appliedIds,
  type Database,
  databasesOfPlan,
  databasesOfTarget,
  describeUnplannable,
  findMoved,
  findOtherSteps,
  type Fleet,
  hasTenants,
  isExternal,
  isMirror,
  type Member,
  type PlanRequest,
  planRelease,
  readSnapshotState,
  type ReleasePlan,
  selectDatabases,
  type SnapshotChoice,
  type SnapshotState,
  type TenantFilter,
  type TenantsPlan,
  type TenantsWish,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from './exit-code.ts'
import type { NamedPlan } from './plan-file.ts'
import { fleetJson } from './render/json.ts'
import type { Session } from './session.ts'
import { withDatabaseName } from './targets.ts'

/** What a command wants to be planned. */
export interface Request {
  readonly direction: Direction
  /** As it was typed. */
  readonly target: string
  /** Whether databases that their servers do not have are created first. Default `false`. */
  readonly createMissing?: boolean
  /** Default `false`. */
  readonly allowOutOfOrder?: boolean
  /** The last phase of which an upgrade runs anything. Default: it runs all that the target asks for. */
  readonly phase?: Phase | undefined
  /** Whether revisions that are half done are gone on with. Default `false`. */
  readonly resume?: boolean
  /** Whether empty databases are made from their snapshots, and not only those that mirror another one. Default `false`. */
  readonly fromSnapshot?: boolean
  /** What has a transaction of its own. Default: each revision. */
  readonly transaction?: TransactionScope | undefined
  /** Which tenants are meant; `none` leaves the databases of tenants out. Default: all of them. */
  readonly tenants?: TenantFilter | 'none' | undefined
  /** A plan that was made before, which is all that may be done; it brings the target. */
  readonly file?: NamedPlan
}

/** A plan with what it was made from. */
export interface Planned {
  readonly workspace: Workspace
  readonly plan: ReleasePlan
  readonly request: PlanRequest
}

/** Where a command goes that is told no target. */
export const defaultTargets: Readonly<Record<Direction, string>> = { up: 'head', down: '-1' }

/**
 * Reads all databases, plans, and hands the plan on while the connections are open. What stands in the way of a plan ends
 * the command instead.
 */
export async function withPlan(
  session: Session,
  request: Request,
  act: (planned: Planned) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { direction, file } = request
  const { target, allowOutOfOrder = false, phase } = file?.plan ?? request
  const parsed = parseTarget(target)
  if (!parsed.ok) return session.finish({ databases: [] }, [parsed.problem])
  const external = direction === 'up' && isTop(parsed.target)
  // A file says what is done on databases, and could not say it of ten thousand tenants.
  const tenants = request.tenants !== 'none' && !file
  const { workspace, selected } = await session.workspace({ external, tenants })
  const all = workspace.databases.filter(
    (database) => (external || !isExternal(database)) && (tenants || !hasTenants(database)),
  )
  const chosen = file ? selectForPlan(workspace, all, selected, direction, file) : { ok: true as const, selected }
  if (!chosen.ok) return session.finish({ databases: [] }, chosen.problems)
  const wanted = narrow(workspace, chosen.selected, parsed.target, session.command)

  await using fleet = await session.fleet(workspace, wanted, {
    createMissing: request.createMissing ?? false,
    readSql: direction === 'up',
    useMemos: external && !file,
  })
  for (const { database, created } of fleet.members)
    if (created) session.progress(`${database.name}: created the database`, database.name)
  const refuse = (problems: readonly Problem[]) => session.finish({ databases: fleetJson(wanted, fleet) }, problems)
  if (fleet.unread.length > 0) return refuse(fleet.unread.flatMap((unread) => unread.problems))
  if (file) {
    const moved = await findMoved(workspace.root, file.plan, fleet.members, file.path)
    if (moved.length > 0) return refuse(moved)
  }

  const options = { allowOutOfOrder, ...(phase && { phase }) }
  const surveys = await surveyAll(fleet, { direction, target: parsed.target, options }, request.tenants)
  const planned = await plan(session, workspace, fleet, direction, parsed.target, {
    ...options,
    tenants: surveys,
    resume: request.resume ?? false,
    ...(direction === 'up' && { fromSnapshot: await readSnapshots(workspace, fleet, request) }),
  })
  if (!planned.ok) return refuse(file ? describeUnplannable(file.plan, planned.problems, file.path) : planned.problems)
  const otherwise = file ? findOtherSteps(file.plan, planned.plan, file.path) : []
  if (otherwise.length > 0) return refuse(otherwise)
  for (const warning of [...planned.plan.warnings, ...warningsOf(surveys)]) session.warn(warning)
  const scope = wanted.length === all.length ? 'all' : 'some'
  // Awaited here: the connections are closed when this function returns.
  return await act({
    workspace,
    plan: planned.plan,
    request: { target, allowOutOfOrder, ...(phase && { phase }), scope },
  })
}

/** Looks at how the tenants of each database stand. */
async function surveyAll(
  { members }: Fleet,
  wish: TenantsWish,
  filter: Request['tenants'],
): Promise<ReadonlyMap<string, TenantsPlan>> {
  const plans = new Map<string, TenantsPlan>()
  for (const { database, tenants } of members) {
    if (!tenants || filter === 'none') continue
    const { surveyTenants } = await import('@drover/orchestrator/tenants')
    const survey = await surveyTenants(tenants, wish, filter ?? {})
    plans.set(database.name, { wish, filter: filter ?? {}, survey })
  }
  return plans
}

/** Why tenants that are to be made are not made from a snapshot, once for all of a database. */
function warningsOf(plans: ReadonlyMap<string, TenantsPlan>): readonly Problem[] {
  return [...plans.values()].flatMap(({ survey }) =>
    survey.groups.flatMap(({ plan: own }) => (own.kind === 'steps' && own.warning ? [own.warning] : [])),
  )
}

/** Whether a target is as far up as there is anything: only there is it clear how far a database goes that migrates itself. */
function isTop({ branch, anchor, steps }: Target): boolean {
  return branch === undefined && steps === 0 && (anchor?.kind === 'head' || anchor?.kind === 'heads')
}

/** Narrows databases to the one that a target is for. */
export function narrow(
  workspace: Workspace,
  selected: readonly Database[],
  target: Target,
  command: string,
): readonly Database[] {
  const names = databasesOfTarget(
    withDatabaseName(workspace, target),
    selected.map((database) => database.name),
    command,
  )
  return selectDatabases(workspace, names)
}

function selectForPlan(
  workspace: Workspace,
  all: readonly Database[],
  selected: readonly Database[],
  direction: Direction,
  { path, plan: planFile }: NamedPlan,
):
  | { readonly ok: true; readonly selected: readonly Database[] }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const use = { path, direction, selected: namesOf(selected), workspace: namesOf(all) }
  const found = databasesOfPlan(planFile, use)
  return found.ok ? { ok: true, selected: selectDatabases(workspace, found.names) } : found
}

/** The snapshots of the databases that may be made from one. With a plan, those are the ones that it says. */
async function readSnapshots(
  workspace: Workspace,
  { members }: Fleet,
  { file, fromSnapshot: isAsked = false, transaction }: Request,
): Promise<SnapshotChoice> {
  const isWanted = ({ database }: Member) =>
    file
      ? file.plan.databases.some(({ name, snapshot }) => name === database.name && snapshot !== undefined)
      : isAsked || isMirror(database)
  const wanted = members.filter((member) => isWanted(member) && (isEmpty(member) || isAsked))
  const states = wanted.map(async (member): Promise<readonly [string, SnapshotState]> => {
    const { database } = member
    // Of one that is not empty nothing has to be read to know that it is not made from anything.
    if (!isEmpty(member)) return [database.name, { kind: 'missing' }]
    return [database.name, await readSnapshotState(workspace.root, database, member.history)]
  })
  return { snapshots: new Map(await Promise.all(states)), isAsked, transaction }
}

function isEmpty({ database, state }: Member): boolean {
  return !isExternal(database) && state.applied.length === 0
}

function namesOf(databases: readonly Database[]): readonly string[] {
  return databases.map((database) => database.name)
}

async function plan(
  session: Session,
  workspace: Workspace,
  { members }: Fleet,
  direction: Direction,
  target: Target,
  options: Parameters<typeof planRelease>[5],
): Promise<ReturnType<typeof planRelease>> {
  const checksums = direction === 'up' ? await readAppliedChecksums(workspace, members) : new Map()
  const neighbours = await session.neighbours(workspace, members, direction)
  return planRelease(members, direction, target, checksums, neighbours, options)
}

/** Checksums of the files of what is applied, by database and revision; of what is settled they are not needed. */
export async function readAppliedChecksums(
  workspace: Workspace,
  members: readonly Member[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const entries = members.map(async (member) => {
    const { database, state, texts } = member
    // They are known to be as they were.
    if (member.settled) return [database.name, new Map<string, string>()] as const
    const { history } = member
    const applied = appliedIds(state)
    const known = history.revisions.filter((revision) => applied.has(revision.id))
    return [database.name, await readChecksums(workspace.root, known, state.applied, texts)] as const
  })
  return new Map(await Promise.all(entries))
}
