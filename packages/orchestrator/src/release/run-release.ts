import { randomUUID } from 'node:crypto'

import type {
  Environment,
  FinishedStep,
  Hook,
  Moment,
  RunLimits,
  StepObservation,
  TransactionScope,
} from '@drover/engine'
import type { Problem, Step } from '@drover/history'

import { runReleaseHooks } from '../hooks/release-hooks.ts'
import type { FanOutWish } from '../tenants/fan-out-options.ts'
import { startTrace } from '../trace/start-trace.ts'
import { type Database, isExternal } from '../workspace/discover.ts'
import { runExternal } from './external.ts'
import type { HoldOptions } from './hold.ts'
import { type Job, prepareJobs, rollBackSteps, runSegment, untouched } from './job.ts'
import type { DatabaseOutcome, ReleaseEvent, ReleaseOutcome } from './outcome.ts'
import type { ReleasePlan } from './plan-release.ts'
import { findWaits, runSideBySide } from './schedule.ts'

/** How a release is run. */
export interface ReleaseOptions extends HoldOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  /** All databases of the workspace, in upgrade order: those that are no part of the release put others in order too. */
  readonly databases: readonly Database[]
  /** How many databases are worked on at the same time, at least 1: then in the plan's order. Default 4. */
  readonly jobs?: number | undefined
  /**
   * What becomes of the other databases when one fails. `stop` begins nothing more, and those that are being worked on stop
   * behind the revision that they are at, or when their command has ended; `continue` goes on with those that do not come
   * after the failed one; `rollback` stops as well, and then undoes what this release has done, the latest first. Default `stop`.
   */
  readonly onFailure?: 'stop' | 'continue' | 'rollback' | undefined
  /** Whether revisions that are half done are gone on with, as it was planned. Default `false`. */
  readonly resume?: boolean | undefined
  readonly limits?: RunLimits
  /** `all`: one transaction for all revisions of a database, so that a failure leaves nothing there. Default `per-revision`. */
  readonly transaction?: TransactionScope | undefined
  /** Once aborted, after `signal`, what is running is cancelled on the servers. */
  readonly cancel?: AbortSignal | undefined
  /** The hooks of the run as a whole. Those of databases are declared with them. Default: none. */
  readonly hooks?: readonly Hook[]
  /** What code, and the commands of databases that migrate themselves, get PATH and HOME from. Default: they get neither. */
  readonly environment?: Environment
  readonly onEvent?: (event: ReleaseEvent) => void
  /** How tenants are worked on. Default: as `FanOutWish` says. */
  readonly fanOut?: FanOutWish | undefined
  /** Called with what was observed of each step that was tried. For throw-away databases. Default: nobody looks. */
  readonly onObserved?: (database: string, observation: StepObservation) => void
  /** Whether the times of statements in transactions are told as well. Default: only where the release is traced. */
  readonly timesStatements?: boolean
}

/**
 * Runs a plan over its databases, side by side where nothing puts them in order. Everything that can be refused is refused
 * first, before anything is changed anywhere: files that cannot be read or are not filled in, and databases held by another
 * run. Hooks are run only where there is something to run, and only once nothing is refused any more. Where the process has an
 * SDK of OpenTelemetry, the release is traced.
 * @throws {DroverError} for what was refused, `INTERRUPTED` when the signal came while waiting for a lease
 */
export async function runRelease(plan: ReleasePlan, options: ReleaseOptions): Promise<ReleaseOutcome> {
  const id = randomUUID()
  const trace = await startTrace(id, plan, options)
  if (!trace) return runHeld(id, plan, options)
  const onEvent = (event: ReleaseEvent) => {
    trace.onEvent(event)
    options.onEvent?.(event)
  }
  try {
    const outcome = await runHeld(id, plan, { ...options, onEvent, timesStatements: true })
    trace.end(outcome)
    return outcome
  } catch (error) {
    trace.fail(error)
    throw error
  }
}

async function runHeld(id: string, plan: ReleasePlan, options: ReleaseOptions): Promise<ReleaseOutcome> {
  await using leases = new AsyncDisposableStack()
  const jobs = await prepareJobs(plan, id, leases, options)
  const waits = findWaits(plan, options.databases)
  const outcomes = jobs.map(untouched)
  const release: Release = { id, plan, jobs, waits, options, outcomes }
  // Awaited here: the leases are given back when this function returns.
  if (outcomes.every(({ end }) => end === 'nothing-to-do')) return { databases: outcomes, hooks: [] }
  return await runBetweenHooks(release)
}

/** Runs the databases with the hooks of the release around them. */
async function runBetweenHooks(release: Release): Promise<ReleaseOutcome> {
  const { plan, options, outcomes } = release
  const run = (moment: Moment, problems?: readonly Problem[]) =>
    runReleaseHooks(moment, plan.direction, options, problems)
  const before = await run('before')
  if (before.end.kind === 'interrupted') return { databases: outcomes, hooks: before.ran }
  if (before.end.kind === 'done') {
    const ended = await runSegments(release)
    if (outcomes.some(({ end }) => end === 'failed') && options.onFailure === 'rollback') await rollBack(release, ended)
  }
  const isThrough = outcomes.every(({ end }) => end === 'done' || end === 'nothing-to-do')
  const after = isThrough ? await run('after') : undefined
  const end = after?.end ?? before.end
  const problem = end.kind === 'failed' ? end.problem : undefined
  const problems = [
    ...(problem ? [problem] : []),
    ...outcomes.flatMap(({ failed }) => (failed ? [failed.problem] : [])),
  ]
  const onFailure = problems.length > 0 ? await run('onFailure', problems) : undefined
  return {
    databases: outcomes,
    hooks: [...before.ran, ...(after?.ran ?? []), ...(onFailure?.ran ?? [])],
    ...(problem && { problem }),
  }
}

/** A release that is under way. */
interface Release {
  readonly id: string
  readonly plan: ReleasePlan
  /** Of each database of the plan, in its order, as the outcomes are. */
  readonly jobs: readonly Job[]
  readonly outcomes: DatabaseOutcome[]
  /** What each segment waits for. */
  readonly waits: readonly ReadonlySet<number>[]
  readonly options: ReleaseOptions
}

/** What was done in one segment. */
interface EndedSegment {
  /** Of the segment in the plan. */
  readonly place: number
  readonly finished: readonly FinishedStep[]
}

/** Runs the segments, or leaves them alone because of how others went; returns those that were run, as they ended. */
async function runSegments({ id, plan, jobs, outcomes, waits, options }: Release): Promise<readonly EndedSegment[]> {
  const ended: EndedSegment[] = []
  const atWork = new Set<string>()
  // The segments that have failed or were left alone, with the database because of which they were.
  const held = new Map<number, string>()
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])])
  const isContinued = options.onFailure === 'continue'
  const findCause = (place: number): string | undefined =>
    [...held].find(([other]) => !isContinued || waits[place]!.has(other))?.[1]

  await runSideBySide(waits, options.jobs ?? 4, async (place) => {
    const { database, steps } = plan.segments[place]!
    const { name } = database.member.database
    const at = plan.databases.indexOf(database)
    const before = outcomes[at]!
    const cause = findCause(place)
    if (cause !== undefined || options.signal?.aborted) {
      if (cause !== undefined) held.set(place, cause)
      outcomes[at] = leaveAlone(before, cause)
      return
    }
    atWork.add(name)
    const after = await runOne(jobs[at]!, steps, before, { ...options, signal }, id)
    atWork.delete(name)
    if (after !== before && after.end !== 'stopped') {
      options.onEvent?.({ type: 'database-finished', database: name, outcome: after.end, ...after.failed })
    }
    ended.push({ place, finished: after.finished.slice(before.finished.length) })
    if (after.end === 'failed') {
      held.set(place, name)
      if (!isContinued && !signal.aborted && atWork.size > 0) {
        options.onEvent?.({ type: 'others-stopping', database: name, others: [...atWork] })
      }
      if (!isContinued) stop.abort()
    }
    const isStopped = after.end === 'interrupted' && !options.signal?.aborted
    outcomes[at] = isStopped ? leaveAlone({ ...after, end: 'stopped' }, findCause(place)) : after
  })
  return ended
}

/** Does what there is to do on one database without another in between. Never throws for how that goes. */
async function runOne(
  job: Job,
  steps: readonly Step[],
  before: DatabaseOutcome,
  options: ReleaseOptions,
  release: string,
): Promise<DatabaseOutcome> {
  if (isExternal(before.plan.member.database)) return runExternal(before, options)
  if (!before.plan.tenants) return runSegment(job, steps, before, options)
  // Most releases have none.
  const { runTenants } = await import('../tenants/run-tenants.ts')
  return runTenants(before, release, options)
}

/**
 * The outcome of a database whose next steps are not tried.
 * @param cause the database that failed. Default: it was interrupted
 */
function leaveAlone(outcome: DatabaseOutcome, cause?: string): DatabaseOutcome {
  if (outcome.notTried.length === 0 || outcome.end === 'failed' || outcome.end === 'interrupted') return outcome
  if (outcome.finished.length === 0) return { ...outcome, end: 'not-tried' }
  return cause === undefined ? { ...outcome, end: 'interrupted' } : { ...outcome, end: 'stopped', stoppedBy: cause }
}

/** Undoes what was done, the latest first. What could not be undone keeps all that it came after. */
async function rollBack(release: Release, ended: readonly EndedSegment[]): Promise<void> {
  const { plan, jobs, outcomes, waits, options } = release
  const kept = new Set<number>()
  for (const { place, finished } of ended.toReversed()) {
    const at = plan.databases.indexOf(plan.segments[place]!.database)
    const outcome = outcomes[at]!
    const isNeeded = [...kept].some((later) => waits[later]!.has(place))
    if (!isNeeded) outcomes[at] = await rollBackSteps(jobs[at]!, finished, outcome, options)
    else if (finished.length > 0) outcomes[at] = { ...outcome, rolledBack: outcome.rolledBack ?? { finished: [] } }
    if (isNeeded || outcomes[at]!.rolledBack?.problem) kept.add(place)
  }
}
