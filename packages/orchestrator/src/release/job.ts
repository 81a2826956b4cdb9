import { randomUUID } from 'node:crypto'

import {
  findPoolerObstacle,
  type PlanOutcome,
  readScript,
  readState,
  recordEnd,
  recordStart,
  runPlan,
  type Script,
} from '@drover/engine'
import { type Direction, DroverError, nameRevision, remainingSteps, type Step, throwProblems } from '@drover/history'

import { problemsOf } from './fleet.ts'
import { type Held, hold, naming, refuseObstacles } from './hold.ts'
import type { DatabaseOutcome } from './outcome.ts'
import type { DatabasePlan, ReleasePlan } from './plan-release.ts'
import type { ReleaseOptions } from './run-release.ts'
import { readScripts } from './scripts.ts'
import { appliedBefore, findHalfDone } from './status.ts'

/** One database's share of a release, ready to be run. */
export interface Job {
  readonly plan: DatabasePlan
  /** Missing where there is nothing to do. */
  readonly work?: Work
  readonly doneElsewhere: readonly Step[]
}

interface Work extends Held {
  readonly scripts: readonly Script[]
}

/**
 * Reads all scripts, then takes the leases in the order of the plan, so that two releases cannot wait for each other, and
 * looks again at what is applied. Changes nothing but the leases.
 * @param leases what is taken; the caller gives it back
 * @throws {DroverError} for everything that should keep the release from being run
 */
export async function prepareJobs(
  plan: ReleasePlan,
  leases: AsyncDisposableStack,
  options: ReleaseOptions,
): Promise<readonly Job[]> {
  const steps = plan.databases.map(({ member, steps: own }) => ({ name: member.database.name, steps: own }))
  const scripts = await readScripts(options.root, steps)
  if (options.onFailure === 'rollback') refuseOneWay(plan)
  await refuseObstacles(plan.databases.filter((database) => database.steps.length > 0).map(({ member }) => member))
  await refusePoolers(plan, scripts)
  const release = randomUUID()
  const jobs: Job[] = []
  for (const database of plan.databases) jobs.push(await prepareJob(database, release, scripts, leases, options))
  return jobs
}

/** How a database stands before any of its segments was run. */
export function untouched({ plan, work, doneElsewhere }: Job): DatabaseOutcome {
  const notTried = work?.scripts.map(({ direction, revision }) => ({ direction, revision })) ?? []
  const isIdle = !work && !plan.member.database.config.external?.command
  return { plan, end: isIdle ? 'nothing-to-do' : 'not-tried', finished: [], doneElsewhere, notTried }
}

/**
 * Runs the steps of one segment, as far as they are still to be done. Never throws for what happens on the server: the
 * outcome tells.
 * @param before how the database's earlier segments went
 */
export async function runSegment(
  { plan, work }: Job,
  steps: readonly Step[],
  before: DatabaseOutcome,
  options: ReleaseOptions,
): Promise<DatabaseOutcome> {
  const ids = new Set(steps.map((step) => step.revision.id))
  const scripts = work?.scripts.filter((script) => ids.has(script.revision.id)) ?? []
  if (!work || scripts.length === 0) return before
  const isFirst = before.finished.length === 0
  if (isFirst) {
    options.onEvent?.({ type: 'database-started', database: plan.member.database.name, steps: work.scripts.length })
  }
  // Each segment is an execution of its own in the records; they share the release.
  const run = isFirst ? work.run : { ...work.run, id: randomUUID() }
  const { finished, end } = await carryOut(plan, { ...work, run, scripts }, options)
  const done = new Set([
    ...finished.map((step) => step.revision.id),
    ...(end.kind === 'failed' && end.step ? [end.step.revision.id] : []),
  ])
  const notTried = before.notTried.filter((step) => !done.has(step.revision.id))
  const common = { ...before, finished: [...before.finished, ...finished], notTried }
  if (end.kind === 'failed') return { ...common, end: 'failed', failed: { step: end.step, problem: end.problem } }
  if (end.kind === 'interrupted') return { ...common, end: 'interrupted' }
  return { ...common, end: notTried.length === 0 ? 'done' : 'stopped' }
}

/** Undoes what a job has done, in reverse. What cannot be undone ends it, and is said in the outcome. */
export async function rollBackJob(
  job: Job,
  outcome: DatabaseOutcome,
  options: ReleaseOptions,
): Promise<DatabaseOutcome> {
  const { plan, work } = job
  if (!work || outcome.finished.length === 0) return outcome
  const database = plan.member.database.name
  options.onEvent?.({ type: 'rollback-started', database, steps: outcome.finished.length })
  try {
    const state = await readState(plan.member.connection, database)
    const halfDone = findHalfDone({ ...plan.member, state }, { isHolder: true })
    if (halfDone) return { ...outcome, rolledBack: { finished: [], problem: halfDone } }
    const scripts = await Promise.all(
      outcome.finished.toReversed().map((step) => readScript(options.root, step.revision, opposite(step.direction))),
    )
    const run = { ...work.run, id: randomUUID(), command: `${work.run.command} (rollback)` }
    // Once begun, it is not left half way: the signal that stopped the release does not stop it.
    const { signal: _, ...others } = options
    const { finished, end } = await carryOut(plan, { ...work, run, scripts }, others)
    return { ...outcome, rolledBack: { finished, ...(end.kind === 'failed' && { problem: end.problem }) } }
  } catch (error) {
    return { ...outcome, rolledBack: { finished: [], problem: problemsOf(error, database)[0]! } }
  }
}

/** What could not be rolled back is refused while there is still nothing to roll back. */
function refuseOneWay(plan: ReleasePlan): void {
  throwProblems(
    plan.databases
      .map(({ member }) => member.database)
      .filter(({ config }) => config.external?.command !== undefined)
      .map(({ name, folder }) => ({
        code: 'IRREVERSIBLE',
        database: name,
        file: `${folder}/database.ts`,
        message: 'what its command does could not be rolled back',
        hint: `leave ${name} out with --database, or leave --on-failure rollback out`,
      })),
  )
  throwProblems(
    plan.databases.flatMap(({ member, steps }) =>
      steps
        .filter(({ direction, revision }) => direction === 'up' && !revision.reversible)
        .map(({ revision }) => ({
          code: 'IRREVERSIBLE',
          database: member.database.name,
          revision: revision.id,
          file: `${revision.folder}/down.sql`,
          message: `${nameRevision(revision)} could not be rolled back: it has no down.sql`,
          hint: `write ${revision.folder}/down.sql, or leave --on-failure rollback out`,
        })),
    ),
  )
}

/** What needs one session is refused over a pooler. */
async function refusePoolers(plan: ReleasePlan, scripts: ReadonlyMap<Step, Script>): Promise<void> {
  const obstacles = await Promise.all(
    plan.databases.map(async ({ member, steps }) => {
      const own = steps.map((step) => scripts.get(step)!)
      const obstacle = await findPoolerObstacle(member.connection, own)
      return obstacle ? [{ ...obstacle, database: member.database.name }] : []
    }),
  )
  throwProblems(obstacles.flat())
}

async function prepareJob(
  plan: DatabasePlan,
  release: string,
  scripts: ReadonlyMap<Step, Script>,
  leases: AsyncDisposableStack,
  options: ReleaseOptions,
): Promise<Job> {
  const { member, steps } = plan
  const { name } = member.database
  if (steps.length === 0) return { plan, doneElsewhere: [] }
  return naming(name, async () => {
    const { run, lease } = await hold(member, release, leases, options, (database, holder) =>
      options.onEvent?.({ type: 'lease-waiting', database, holder }),
    )
    const state = await readState(member.connection, name)
    const halfDone = findHalfDone({ ...member, state }, { isHolder: true })
    const isPlanned = steps.some((step) => options.resume === true && step.revision.id === state.halfDone?.id)
    if (halfDone && (!isPlanned || state.halfDone?.left?.kind === 'working')) throw new DroverError(halfDone)
    const rest = remainingSteps(member.history, steps, appliedBefore(state))
    if (rest.kind === 'moved') throw moved(rest.step)
    const doneElsewhere = steps.filter((step) => !rest.steps.includes(step))
    if (rest.steps.length === 0) return { plan, doneElsewhere }
    return { plan, doneElsewhere, work: { run, lease, scripts: rest.steps.map((step) => scripts.get(step)!) } }
  })
}

async function carryOut({ member }: DatabasePlan, work: Work, options: ReleaseOptions): Promise<PlanOutcome> {
  const { connection, database, history } = member
  const { run, lease, scripts } = work
  const steps = scripts.map(({ direction, revision }) => ({ direction, revision }))
  try {
    await recordStart(connection, run, steps)
  } catch (error) {
    const problem = problemsOf(error, database.name)[0]!
    return { finished: [], end: { kind: 'failed', step: undefined, problem }, notTried: steps }
  }
  const outcome = await runPlan(connection, {
    history,
    run,
    token: lease.token,
    scripts,
    ...(options.lockTimeoutMs !== undefined && { lockTimeoutMs: options.lockTimeoutMs }),
    ...(options.statementTimeoutMs !== undefined && { statementTimeoutMs: options.statementTimeoutMs }),
    ...(options.resume !== undefined && { resume: options.resume }),
    ...(options.signal && { signal: options.signal }),
    onEvent: (event) => options.onEvent?.({ ...event, database: database.name }),
  })
  const { end } = outcome
  const named = end.kind === 'failed' ? { ...end, problem: { ...end.problem, database: database.name } } : end
  const problem = named.kind === 'failed' ? named.problem : undefined
  // The revisions are recorded with their changes. Where the connection is gone, the run stays open, and the next one marks it as lost.
  await recordEnd(connection, run, end.kind, problem).catch(() => undefined)
  return { ...outcome, end: named }
}

function opposite(direction: Direction): Direction {
  return direction === 'up' ? 'down' : 'up'
}

function moved(step: Step): DroverError {
  const verb = step.direction === 'up' ? 'applied' : 'reverted'
  return new DroverError({
    code: 'STATE_MOVED',
    revision: step.revision.id,
    message: `${nameRevision(step.revision)} can no longer be ${verb}: another run has changed the database since this one was planned`,
    hint: 'run the same command again: it plans anew',
  })
}
