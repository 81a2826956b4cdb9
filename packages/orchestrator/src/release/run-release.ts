import type { Actor } from '@drover/engine'

import { prepareJobs, rollBackJob, runJob } from './job.ts'
import type { DatabaseOutcome, ReleaseEvent } from './outcome.ts'
import type { DatabasePlan, ReleasePlan } from './plan-release.ts'

/** How a release is run. */
export interface ReleaseOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  /** The command as it was typed, for the records. */
  readonly command: string
  readonly actor: Actor
  /**
   * What becomes of the other databases when one fails. `stop` leaves those that are left alone; `continue` goes on with
   * those that do not come after the failed one; `rollback` also undoes what this release has done, in reverse. Default `stop`.
   */
  readonly onFailure?: 'stop' | 'continue' | 'rollback'
  /** How long to wait for another run, in milliseconds. Default 60,000. */
  readonly waitLockMs?: number
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: ReleaseEvent) => void
}

/**
 * Runs a plan over its databases, one after the other. Everything that can be refused is refused first, before
 * anything is changed anywhere: files that cannot be read or are not filled in, and databases held by another run.
 * @returns an outcome for each database of the plan, in its order; failures are outcomes, not errors
 * @throws {DroverError} for what was refused, `INTERRUPTED` when the signal came while waiting for a lease
 */
export async function runRelease(plan: ReleasePlan, options: ReleaseOptions): Promise<readonly DatabaseOutcome[]> {
  await using leases = new AsyncDisposableStack()
  const jobs = await prepareJobs(plan, leases, options)
  const outcomes: DatabaseOutcome[] = []
  for (const job of jobs) {
    const blocked = isBlocked(job.plan, outcomes, plan, options)
    outcomes.push(blocked ? notTried(job.plan) : await runJob(job, options))
  }
  if (options.onFailure !== 'rollback' || !outcomes.some((outcome) => outcome.end === 'failed')) return outcomes
  for (const [index, job] of [...jobs.entries()].toReversed()) {
    outcomes[index] = await rollBackJob(job, outcomes[index]!, options)
  }
  return outcomes
}

/** Whether a database is left alone because of how it went on those before it. */
function isBlocked(
  next: DatabasePlan,
  outcomes: readonly DatabaseOutcome[],
  plan: ReleasePlan,
  options: ReleaseOptions,
): boolean {
  if (options.signal?.aborted) return true
  const stopped = outcomes.filter((outcome) => outcome.end === 'failed' || outcome.end === 'not-tried')
  if (stopped.length === 0) return false
  if (options.onFailure !== 'continue') return true
  const later = next.member.database
  return stopped
    .map((outcome) => outcome.plan.member.database)
    .some((earlier) =>
      plan.direction === 'up' ? later.config.after.includes(earlier.name) : earlier.config.after.includes(later.name),
    )
}

function notTried(plan: DatabasePlan): DatabaseOutcome {
  const end = plan.steps.length === 0 ? 'nothing-to-do' : 'not-tried'
  return { plan, end, finished: [], doneElsewhere: [], notTried: plan.steps }
}
