import type { Database, DatabaseOutcome, DatabasePlan, Fleet, Member } from '@drover/orchestrator'
import { isExternal, statusOf } from '@drover/orchestrator'
import type { Step } from '@drover/history'

/** One database in the output. */
export interface DatabaseJson {
  readonly name: string
  readonly targets: readonly TargetJson[]
}

interface TargetJson {
  /** Empty for the database itself. */
  readonly target: string
  readonly current: readonly string[]
  readonly heads: readonly string[]
  readonly pending: readonly string[]
  readonly steps: readonly StepJson[]
  readonly state: 'up-to-date' | 'behind' | 'ahead' | 'diverged' | 'unreachable' | 'external'
}

/** What became, or will become, of one revision. */
export interface StepJson {
  readonly direction: 'up' | 'down'
  readonly revision: string
  readonly message: string
  readonly status: 'applied' | 'reverted' | 'recorded' | 'forgotten' | 'failed' | 'skipped' | 'planned'
  readonly durationMs?: number
}

/** Where a database stands. */
export function memberJson(member: Member, steps: readonly StepJson[] = []): DatabaseJson {
  const status = { ...statusOf(member), ...(isExternal(member.database) && { state: 'external' as const }) }
  return { name: member.database.name, targets: [{ target: '', ...status, steps }] }
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

/** What would be done on a database. */
export function planJson({ member, steps }: DatabasePlan): DatabaseJson {
  return memberJson(
    member,
    steps.map((step) => stepJson(step, 'planned')),
  )
}

/** What was done on a database, and where it stands now. */
export function outcomeJson(outcome: DatabaseOutcome): DatabaseJson {
  const { plan, finished, failed, notTried, doneElsewhere, rolledBack } = outcome
  const applied = new Map(plan.member.state.applied.map((row) => [row.id, row]))
  for (const { direction, revision } of [...doneElsewhere, ...finished, ...(rolledBack?.finished ?? [])]) {
    if (direction === 'up') applied.set(revision.id, { id: revision.id, checksum: '', appliedAt: '' })
    else applied.delete(revision.id)
  }
  return memberJson({ ...plan.member, state: { ...plan.member.state, applied: [...applied.values()] } }, [
    ...finished.map(finishedJson),
    ...(failed?.step ? [stepJson(failed.step, 'failed')] : []),
    ...notTried.map((step) => stepJson(step, 'skipped')),
    ...(rolledBack?.finished ?? []).map(finishedJson),
  ])
}

function finishedJson(step: DatabaseOutcome['finished'][number]): StepJson {
  return stepJson(step, step.direction === 'up' ? 'applied' : 'reverted', step.durationMs)
}

function stepJson({ direction, revision }: Step, status: StepJson['status'], durationMs?: number): StepJson {
  return {
    direction,
    revision: revision.id,
    message: revision.message,
    status,
    ...(durationMs !== undefined && { durationMs: Math.round(durationMs * 1000) / 1000 }),
  }
}
