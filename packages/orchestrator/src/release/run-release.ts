import type { Step } from '@drover/history'

import { type Database, isExternal } from '../workspace/discover.ts'
import type { Environment } from '../workspace/locate.ts'
import type { HoldOptions } from './hold.ts'
import type { Segment } from './interleave.ts'
import { runExternal } from './external.ts'
import { prepareJobs, rollBackJob, runSegment, untouched } from './job.ts'
import type { DatabaseOutcome, ReleaseEvent } from './outcome.ts'
import type { ReleasePlan } from './plan-release.ts'

/** How a release is run. */
export interface ReleaseOptions extends HoldOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  /**
   * What becomes of the other databases when one fails. `stop` leaves those that are left alone; `continue` goes on with
   * those that do not come after the failed one; `rollback` also undoes what this release has done, in reverse. Default `stop`.
   */
  readonly onFailure?: 'stop' | 'continue' | 'rollback'
  /** Whether revisions that are half done are gone on with, as it was planned. Default `false`. */
  readonly resume?: boolean
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
  /** What the commands of databases that migrate themselves get PATH and HOME from. Default: they get neither. */
  readonly environment?: Environment
  readonly onEvent?: (event: ReleaseEvent) => void
}

/**
 * Runs a plan over its databases, one segment after the other. Everything that can be refused is refused first, before
 * anything is changed anywhere: files that cannot be read or are not filled in, and databases held by another run.
 * @returns an outcome for each database of the plan, in its order; failures are outcomes, not errors
 * @throws {DroverError} for what was refused, `INTERRUPTED` when the signal came while waiting for a lease
 */
export async function runRelease(plan: ReleasePlan, options: ReleaseOptions): Promise<readonly DatabaseOutcome[]> {
  await using leases = new AsyncDisposableStack()
  const jobs = await prepareJobs(plan, leases, options)
  const outcomes = jobs.map(untouched)
  const held = new Set<Database>()
  for (const segment of plan.segments) {
    const index = plan.databases.indexOf(segment.database)
    const { database } = segment.database.member
    if (isHeldUp(segment, plan, held, options)) {
      held.add(database)
      continue
    }
    outcomes[index] = isExternal(database)
      ? await runExternal(outcomes[index]!, options)
      : await runSegment(jobs[index]!, segment.steps, outcomes[index]!, options)
    if (outcomes[index].end === 'failed') held.add(database)
  }
  if (options.onFailure !== 'rollback' || !outcomes.some((outcome) => outcome.end === 'failed')) return outcomes
  for (const [index, job] of [...jobs.entries()].toReversed()) {
    outcomes[index] = await rollBackJob(job, outcomes[index]!, options)
  }
  return outcomes
}

/**
 * Whether a segment is left alone because of how it went before.
 * @param held the databases that failed, or were left alone themselves
 */
function isHeldUp(segment: Segment, plan: ReleasePlan, held: ReadonlySet<Database>, options: ReleaseOptions): boolean {
  if (options.signal?.aborted) return true
  if (held.size === 0) return false
  const own = segment.database.member.database
  if (options.onFailure !== 'continue' || held.has(own)) return true
  return [...held].some((other) =>
    plan.direction === 'up'
      ? needs(own, other) || segment.steps.some((step) => dependsOn(step, other.name))
      : needs(other, own) || stepsOf(plan, other).some((step) => dependsOn(step, own.name)),
  )
}

/** Whether a database is declared to come after another. */
function needs(later: Database, earlier: Database): boolean {
  return later.config.after.includes(earlier.name)
}

function dependsOn({ revision }: Step, database: string): boolean {
  return revision.dependsOnElsewhere?.some((dependency) => dependency.database === database) ?? false
}

function stepsOf(plan: ReleasePlan, database: Database): readonly Step[] {
  return plan.databases.find(({ member }) => member.database === database)?.steps ?? []
}
