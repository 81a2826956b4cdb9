import type {
  Database,
  DatabaseOutcome,
  DatabasePlan,
  Fleet,
  HeldBack,
  HookOutcome,
  Member,
  ReleasePlan,
  ServerOutcome,
  TenantCounts,
  TenantFailure,
  TenantsOutcome,
  TenantSurvey,
} from '@drover/orchestrator'
import { hooksOf, isExternal, statusOf, sumCounts } from '@drover/orchestrator'
import type { Hook } from '@drover/engine'
import type { Blocker, Phase, Problem, Step } from '@drover/history'

/** One database in the output. */
export interface DatabaseJson {
  readonly name: string
  readonly targets: readonly TargetJson[]
  /** Only where its history is applied to tenants; its targets are those of them that there is something to say of. */
  readonly tenants?: TenantsJson
}

/** How the tenants of a database stand, or how it went on them. */
interface TenantsJson extends Partial<TenantCounts> {
  readonly total: number
  readonly upToDate?: number
  readonly revisions?: number
  readonly servers?: readonly ServerOutcome[]
}

interface TargetJson {
  /** Empty for the database itself. */
  readonly target: string
  readonly current: readonly string[]
  readonly heads: readonly string[]
  readonly pending: readonly string[]
  /** Those of `pending` that belong to a phase. Only where there are any. */
  readonly pendingPhases?: readonly { readonly revision: string; readonly phase: Phase }[]
  /** What an upgrade with a phase stops before. Only where it does. */
  readonly heldBack?: readonly HeldBackJson[]
  readonly steps: readonly StepJson[]
  /** What is loaded, or was, instead of the steps that it stands for. Only where something is. */
  readonly snapshot?: SnapshotJson
  /** Only where there are any to be run, or some were. */
  readonly hooks?: readonly HookJson[]
  /** The sessions that `--kill-blockers-after` has ended. Only where there are any. */
  readonly endedSessions?: readonly Blocker[]
  readonly state: 'up-to-date' | 'behind' | 'ahead' | 'diverged' | 'unreachable' | 'external'
  /** What keeps a tenant from being where it should be. */
  readonly problem?: Problem
}

interface SnapshotJson {
  /** From the root of the workspace. */
  readonly file: string
  readonly revisions: readonly string[]
}

interface HeldBackJson {
  readonly revision: string
  readonly message: string
  /** The phase with which it runs. */
  readonly phase: Phase
  /** The revision of another database, behind its name, that it waits for. */
  readonly waitsFor?: string
  readonly hint: string
}

/** What became, or will become, of one revision. */
export interface StepJson {
  readonly direction: 'up' | 'down'
  readonly revision: string
  readonly message: string
  readonly phase?: Phase
  /** Whether it runs in batches. */
  readonly batch?: true
  readonly status: 'applied' | 'reverted' | 'recorded' | 'forgotten' | 'abandoned' | 'failed' | 'skipped' | 'planned'
  readonly durationMs?: number
  /** Only where it is no transaction like most. */
  readonly transaction?: 'none' | 'own'
  /** The statements of what is abandoned that are done and stay. */
  readonly kept?: readonly string[]
}

/** What became, or will become, of one hook. */
interface HookJson {
  readonly moment: Hook['moment']
  readonly file: string
  readonly status: 'planned' | HookOutcome['status']
  readonly durationMs?: number
}

/** Where a database stands. */
export function memberJson(
  member: Member,
  steps: readonly StepJson[] = [],
  heldBack: readonly HeldBack[] = [],
  hooks: readonly HookJson[] = [],
): DatabaseJson {
  const status = { ...statusOf(member), ...(isExternal(member.database) && { state: 'external' as const }) }
  const pendingPhases = status.pending.flatMap((id) => {
    const phase = member.history.byId.get(id)?.phase
    return phase ? [{ revision: id, phase }] : []
  })
  return {
    name: member.database.name,
    targets: [
      {
        target: '',
        ...status,
        ...(pendingPhases.length > 0 && { pendingPhases }),
        ...(heldBack.length > 0 && { heldBack: heldBack.map(heldBackJson) }),
        steps,
        ...(hooks.length > 0 && { hooks }),
      },
    ],
  }
}

/** Where the databases of a fleet stand, in the order of `wanted`. */
export function fleetJson(wanted: readonly Database[], fleet: Fleet): readonly DatabaseJson[] {
  return wanted.map((database) => {
    const member = fleet.members.find((one) => one.database === database)
    return member ? memberJson(member) : unreadJson(database)
  })
}

/** A database that could not be read. */
function unreadJson(database: Database): DatabaseJson {
  return {
    name: database.name,
    targets: [{ target: '', current: [], heads: [], pending: [], steps: [], state: 'unreachable' }],
  }
}

/** Where tenants stand, and what would be done for those that there is something to do for. */
export function tenantsPlanJson(name: string, survey: TenantSurvey, options: { readonly all: boolean }): DatabaseJson {
  const groups = survey.groups.filter(({ plan }) => options.all || plan.kind !== 'settled')
  const upToDate = survey.groups.filter(({ status }) => status.state === 'up-to-date')
  return {
    name,
    tenants: { total: survey.total, upToDate: upToDate.reduce((sum, group) => sum + group.count, 0) },
    targets: [
      ...groups.flatMap(({ status, plan, targets }) =>
        targets.map((target) => ({
          target,
          ...status,
          steps: plan.kind === 'steps' ? plan.steps.map((step) => stepJson(step, 'planned')) : [],
        })),
      ),
      ...survey.unusable.map(failureJson),
    ],
  }
}

function failureJson({ target, problem }: TenantFailure): TargetJson {
  return { target, current: [], heads: [], pending: [], steps: [], state: 'behind', problem }
}

function tenantsOutcomeJson(name: string, outcome: TenantsOutcome, before: TenantSurvey): DatabaseJson {
  const { servers, failed, waiting, revisions } = outcome
  const counts = sumCounts(servers)
  const total = Math.max(before.total, counts.settled + counts.done + counts.failed + counts.waiting + counts.notTried)
  return { name, tenants: { total, revisions, ...counts, servers }, targets: [...failed, ...waiting].map(failureJson) }
}

/** What would be done on a database. */
export function planJson({ member, steps, heldBack, snapshot, tenants }: DatabasePlan): DatabaseJson {
  if (tenants) return tenantsPlanJson(member.database.name, tenants.survey, { all: false })
  const { name, targets } = memberJson(
    member,
    steps.map((step) => stepJson(step, 'planned')),
    heldBack,
    steps.length > 0 ? hooksOf(member.database).map(plannedHookJson) : [],
  )
  return { name, targets: targets.map((target) => ({ ...target, ...snapshotJson(snapshot) })) }
}

function snapshotJson(snapshot: DatabasePlan['snapshot']): { readonly snapshot?: SnapshotJson } {
  return snapshot ? { snapshot: { file: snapshot.file, revisions: snapshot.revisions.map(({ id }) => id) } } : {}
}

/** What the hooks of a run as a whole would be, for a document: nothing where there is nothing to run. */
export function plannedHooksJson(plan: ReleasePlan, hooks: readonly Hook[]): { readonly hooks?: readonly HookJson[] } {
  return plan.segments.length > 0 && hooks.length > 0 ? { hooks: hooks.map(plannedHookJson) } : {}
}

function plannedHookJson({ moment, file }: Hook): HookJson {
  return { moment, file, status: 'planned' }
}

/** How a hook went. */
export function hookJson({ moment, file, status, durationMs }: HookOutcome): HookJson {
  return { moment, file, status, durationMs: Math.round(durationMs * 1000) / 1000 }
}

/** A session that was in the way on a database, and was ended. */
export interface EndedBlocker {
  readonly database: string
  readonly blocker: Blocker
}

/**
 * What was done on a database, and where it stands now.
 * @param ended on any of the databases
 */
export function outcomeJson(outcome: DatabaseOutcome, ended: readonly EndedBlocker[]): DatabaseJson {
  const { plan, finished, failed, notTried, doneElsewhere, rolledBack, tenants } = outcome
  if (plan.tenants) {
    const { name } = plan.member.database
    if (tenants) return tenantsOutcomeJson(name, tenants, plan.tenants.survey)
    return tenantsPlanJson(name, plan.tenants.survey, { all: false })
  }
  const steps = [
    ...finished.map(finishedJson),
    ...(failed?.step ? [stepJson(failed.step, 'failed')] : []),
    ...notTried.map((step) => stepJson(step, 'skipped')),
    ...(rolledBack?.finished ?? []).map(finishedJson),
  ]
  const member = withChanges(plan.member, [...doneElsewhere, ...finished, ...(rolledBack?.finished ?? [])])
  const own = ended.filter(({ database }) => database === member.database.name).map(({ blocker }) => blocker)
  const { name, targets } = memberJson(member, steps, plan.heldBack, outcome.hooks.map(hookJson))
  const more = { ...(own.length > 0 && { endedSessions: own }), ...snapshotJson(outcome.loaded) }
  return { name, targets: targets.map((target) => ({ ...target, ...more })) }
}

/** A database after steps. Without any it is the very same: a copy would have the files read of one that is settled. */
function withChanges(member: Member, changes: readonly Step[]): Member {
  if (changes.length === 0) return member
  const applied = new Map(member.state.applied.map((row) => [row.id, row]))
  for (const { direction, revision } of changes) {
    if (direction === 'up') applied.set(revision.id, { id: revision.id, checksum: '', appliedAt: '' })
    else applied.delete(revision.id)
  }
  return { ...member, state: { ...member.state, applied: [...applied.values()] } }
}

function heldBackJson({ revision, phase, waitsFor, hint }: HeldBack): HeldBackJson {
  const other = waitsFor && { waitsFor: `${waitsFor.database}/${waitsFor.revision}` }
  return { revision: revision.id, message: revision.message, phase, ...other, hint }
}

function finishedJson(step: DatabaseOutcome['finished'][number]): StepJson {
  return stepJson(step, step.direction === 'up' ? 'applied' : 'reverted', step.durationMs)
}

function stepJson({ direction, revision }: Step, status: StepJson['status'], durationMs?: number): StepJson {
  return {
    direction,
    revision: revision.id,
    message: revision.message,
    ...(revision.phase && { phase: revision.phase }),
    ...(direction === 'up' && revision.batch && { batch: true }),
    ...(revision.transaction && { transaction: revision.transaction }),
    status,
    ...(durationMs !== undefined && { durationMs: Math.round(durationMs * 1000) / 1000 }),
  }
}
