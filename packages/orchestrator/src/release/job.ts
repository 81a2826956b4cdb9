import { randomUUID } from 'node:crypto'

import {
  findHookProblems,
  findPoolerObstacle,
  type HookScript,
  type PlanOutcome,
  readHook,
  readScript,
  readState,
  recordEnd,
  recordStart,
  runPlan,
  type SchemaSnapshot,
  type Script,
} from '@drover/engine'
import {
  type Direction,
  DroverError,
  goesOn,
  missingWayBack,
  nameRevision,
  type Problem,
  remainingSteps,
  scriptFile,
  type Step,
  throwProblems,
} from '@drover/history'

import { type DatabaseHooks, runDatabaseHooks } from '../hooks/database-hooks.ts'
import { hooksOf } from '../hooks/declared-hooks.ts'
import type { HookOutcome } from '../hooks/run-hooks.ts'
import { type Member, problemsOf } from './fleet.ts'
import { type Held, holdAll, onEach, refuseObstacles } from './hold.ts'
import { isUndivided } from './interleave.ts'
import type { DatabaseOutcome } from './outcome.ts'
import type { DatabasePlan, ReleasePlan } from './plan-release.ts'
import type { ReleaseOptions } from './run-release.ts'
import { isBusy } from '../tenants/survey.ts'
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
  readonly hooks: readonly HookScript[]
  /** What is loaded instead of the first scripts. */
  readonly snapshot?: SchemaSnapshot
}

/**
 * Reads all scripts, then takes the leases and looks again at what is applied. Changes nothing but the leases.
 * @param release its id
 * @param leases what is taken; the caller gives it back
 * @throws {DroverError} for everything that should keep the release from being run
 */
export async function prepareJobs(
  plan: ReleasePlan,
  release: string,
  leases: AsyncDisposableStack,
  options: ReleaseOptions,
): Promise<readonly Job[]> {
  const steps = plan.databases.map(({ member, steps: own }) => ({ name: member.database.name, steps: own }))
  const scripts = await readScripts(options.root, steps)
  if (options.onFailure === 'rollback') refuseOneWay(plan)
  const busy = plan.databases.filter((database) => database.steps.length > 0)
  const members = busy.map(({ member }) => member)
  const hooks = readHooks(options.root, members)
  await refuseObstacles(members)
  if (options.transaction === 'all') refuseApart(plan)
  await refusePoolers(plan, scripts)
  const held = await holdAll(members, release, leases, options, (database, holder) =>
    options.onEvent?.({ type: 'lease-waiting', database, holder }),
  )
  const jobs = await onEach(members, (member, at) =>
    prepareJob(busy[at]!, held[at]!, { scripts, hooks: hooks.get(member)! }, options),
  )
  return plan.databases.map(
    (database) => jobs.find((job) => job.plan === database) ?? { plan: database, doneElsewhere: [] },
  )
}

/** How a database stands before any of its segments was run. */
export function untouched({ plan, work, doneElsewhere }: Job): DatabaseOutcome {
  const notTried = work?.scripts.map(({ direction, revision }) => ({ direction, revision })) ?? []
  const isIdle = !work && !isUndivided(plan)
  return { plan, end: isIdle ? 'nothing-to-do' : 'not-tried', finished: [], hooks: [], doneElsewhere, notTried }
}

/**
 * Runs the steps of one segment, as far as they are still to be done. Never throws for what happens on the server: the
 * outcome tells. With the first of a database its hooks before come, and with the last those after.
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
  const isLast = before.notTried.every((step) => ids.has(step.revision.id))
  const isDue = { before: isFirst, after: isLast, onFailure: true }
  const hooks = work.hooks.filter(({ moment }) => isDue[moment])
  const own: Pick<Work, 'scripts' | 'snapshot'> =
    plan.snapshot && isFirst ? loadingFirst(plan.snapshot, scripts) : { scripts }
  const { finished, end, ran } = await carryOut(plan, { ...work, run, hooks, ...own }, options)
  const done = new Set([
    ...finished.map((step) => step.revision.id),
    ...(end.kind === 'failed' && end.step ? [end.step.revision.id] : []),
  ])
  const notTried = before.notTried.filter((step) => !done.has(step.revision.id))
  const common = {
    ...before,
    finished: [...before.finished, ...finished],
    ...(own.snapshot && finished.length > 0 && { loaded: own.snapshot }),
    hooks: [...before.hooks, ...ran],
    notTried,
  }
  if (end.kind === 'failed') return { ...common, end: 'failed', failed: { step: end.step, problem: end.problem } }
  if (end.kind === 'interrupted') return { ...common, end: 'interrupted' }
  return { ...common, end: notTried.length === 0 ? 'done' : 'stopped' }
}

/** The scripts with those first that a snapshot stands for; without it when another run has applied some of them. */
function loadingFirst(snapshot: SchemaSnapshot, scripts: readonly Script[]): Pick<Work, 'scripts' | 'snapshot'> {
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const [first, rest] = [true, false].map((isHeld) => scripts.filter((one) => held.has(one.revision.id) === isHeld))
  return first!.length === held.size ? { snapshot, scripts: [...first!, ...rest!] } : { scripts }
}

/**
 * Undoes steps that a job has finished, the latest first. What cannot be undone ends it, and is said in the outcome, as is what
 * a revision that failed has left half done.
 */
export async function rollBackSteps(
  job: Job,
  steps: readonly Step[],
  outcome: DatabaseOutcome,
  options: ReleaseOptions,
): Promise<DatabaseOutcome> {
  const { plan, work } = job
  if (!work || (steps.length === 0 && outcome.end !== 'failed')) return outcome
  const database = plan.member.database.name
  const before = outcome.rolledBack?.finished ?? []
  const keep = (problem: Problem) => ({ ...outcome, rolledBack: { finished: before, problem } })
  try {
    const state = await readState(plan.member.connection, database)
    const halfDone = findHalfDone({ ...plan.member, state }, { isHolder: true })
    if (halfDone) return keep(halfDone)
    if (steps.length === 0) return outcome
    options.onEvent?.({ type: 'rollback-started', database, steps: steps.length })
    const scripts = await Promise.all(
      steps.toReversed().map((step) => readScript(options.root, step.revision, opposite(step.direction))),
    )
    const run = { ...work.run, id: randomUUID(), command: `${work.run.command} (rollback)` }
    // Once begun, it is not left half way: the signal that stopped the release does not stop it.
    const { signal: _, cancel: __, ...others } = options
    const { finished, end } = await carryOut(plan, { ...work, run, scripts, hooks: [] }, others)
    const rolledBack = { finished: [...before, ...finished], ...(end.kind === 'failed' && { problem: end.problem }) }
    return { ...outcome, rolledBack }
  } catch (error) {
    return keep(problemsOf(error, database)[0]!)
  }
}

/** Reads the hooks of databases, and refuses what is not fit to be run. */
function readHooks(root: string, members: readonly Member[]): ReadonlyMap<Member, readonly HookScript[]> {
  const scripts = new Map<Member, readonly HookScript[]>()
  const problems: Problem[] = []
  for (const member of members) {
    const { name } = member.database
    try {
      const own = hooksOf(member.database).map((hook) => readHook(root, hook))
      scripts.set(member, own)
      problems.push(...own.flatMap(findHookProblems).map((problem) => ({ ...problem, database: name })))
    } catch (error) {
      problems.push(...problemsOf(error, name))
    }
  }
  throwProblems(problems)
  return scripts
}

/** What could not be rolled back is refused while there is still nothing to roll back. */
function refuseOneWay(plan: ReleasePlan): void {
  throwProblems(
    plan.databases
      .filter(({ tenants }) => tenants && isBusy(tenants.survey))
      .map(({ member: { database } }) => ({
        code: 'USAGE',
        database: database.name,
        message: 'what is done for one tenant is not undone because of another',
        hint: `leave ${database.name} out with --database, or leave --on-failure rollback out`,
      })),
  )
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
          file: scriptFile(revision, 'down'),
          message: `${nameRevision(revision)} could not be rolled back: it has no ${missingWayBack(revision).name}`,
          hint: `write ${missingWayBack(revision).place}, or leave --on-failure rollback out`,
        })),
    ),
  )
}

/** What cannot be part of one transaction is refused where there is to be one for all. */
function refuseApart({ databases, segments }: ReleasePlan): void {
  throwProblems(
    databases.flatMap(({ member, steps }): readonly Problem[] => {
      const { name } = member.database
      const common = { code: 'OUTSIDE_TRANSACTION', database: name, hint: 'leave --transaction all out' } as const
      const apart = steps.flatMap((step) => {
        const reason = reasonApart(step)
        return reason === undefined ? [] : [{ ...step, reason }]
      })
      const parts = segments.filter(({ database }) => database.member === member).length
      return [
        ...apart.map(({ revision, direction, reason }) => ({
          ...common,
          revision: revision.id,
          file: scriptFile(revision, direction),
          message: `${nameRevision(revision)} cannot share a transaction with others: ${reason}`,
        })),
        ...(parts > 1
          ? [
              {
                ...common,
                message: 'its revisions cannot share a transaction: those of another database run in between',
              },
            ]
          : []),
      ]
    }),
  )
}

function reasonApart({ direction, revision }: Step): string | undefined {
  if (revision.language) return 'it is TypeScript'
  if (revision.batch && direction === 'up') return 'it runs in batches'
  if (revision.transaction === 'own') return 'it has transactions of its own'
  return revision.transaction && 'it runs outside one'
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

/** Looks at what is left to do on a database, now that nobody else changes it. */
async function prepareJob(
  plan: DatabasePlan,
  held: Held,
  { scripts, hooks }: { readonly scripts: ReadonlyMap<Step, Script>; readonly hooks: readonly HookScript[] },
  options: ReleaseOptions,
): Promise<Job> {
  const { member, steps } = plan
  const state = await readState(member.connection, member.database.name)
  const halfDone = findHalfDone({ ...member, state }, { isHolder: true })
  const isPlanned = steps.some(
    ({ revision }) =>
      revision.id === state.halfDone?.id && (options.resume === true || goesOn(state.halfDone, revision)),
  )
  if (halfDone && (!isPlanned || state.halfDone?.left?.kind === 'working')) throw new DroverError(halfDone)
  const rest = remainingSteps(member.history, steps, appliedBefore(state))
  if (rest.kind === 'moved') throw moved(rest.step)
  const doneElsewhere = steps.filter((step) => !rest.steps.includes(step))
  if (rest.steps.length === 0) return { plan, doneElsewhere }
  return { plan, doneElsewhere, work: { ...held, hooks, scripts: rest.steps.map((step) => scripts.get(step)!) } }
}

/** How the work on a database went, with its hooks. */
type Carried = PlanOutcome & { readonly ran: readonly HookOutcome[] }

/** Runs scripts with the hooks around them, and records that as a run. */
async function carryOut(plan: DatabasePlan, work: Work, options: ReleaseOptions): Promise<Carried> {
  const { member } = plan
  const direction = work.scripts[0]!.direction
  const hooks = { member, direction, ...work }
  const outcome = await carryOutRecorded(hooks, work, options)
  const { end } = outcome
  if (end.kind !== 'failed') return outcome
  const { ran } = await runDatabaseHooks(hooks, 'onFailure', options, end.problem)
  return { ...outcome, ran: [...outcome.ran, ...ran] }
}

async function carryOutRecorded(hooks: DatabaseHooks, work: Work, options: ReleaseOptions): Promise<Carried> {
  const { member, run } = hooks
  const { connection, database } = member
  const { scripts } = work
  const steps = scripts.map(({ direction, revision }) => ({ direction, revision }))
  try {
    await recordStart(connection, run, steps)
  } catch (error) {
    const problem = problemsOf(error, database.name)[0]!
    return { finished: [], end: { kind: 'failed', step: undefined, problem }, notTried: steps, ran: [] }
  }
  const outcome = await runBetweenHooks(hooks, work, steps, options)
  const { end } = outcome
  const named = end.kind === 'failed' ? { ...end, problem: { ...end.problem, database: database.name } } : end
  const problem = named.kind === 'failed' ? named.problem : undefined
  // The revisions are recorded with their changes. Where the connection is gone, the run stays open, and the next one marks it as lost.
  await recordEnd(connection, run, end.kind, problem).catch(() => undefined)
  return { ...outcome, end: named }
}

async function runBetweenHooks(
  hooks: DatabaseHooks,
  work: Work,
  steps: readonly Step[],
  options: ReleaseOptions,
): Promise<Carried> {
  const before = await runDatabaseHooks(hooks, 'before', options)
  if (before.end.kind !== 'done') {
    const end = before.end.kind === 'failed' ? { ...before.end, step: undefined } : { kind: before.end.kind }
    return { finished: [], end, notTried: steps, ran: before.ran }
  }
  const outcome = await runScripts(hooks, work, options)
  if (outcome.end.kind !== 'succeeded') return { ...outcome, ran: before.ran }
  const after = await runDatabaseHooks(hooks, 'after', options)
  const end = after.end.kind === 'failed' ? { ...after.end, step: undefined } : outcome.end
  return { ...outcome, end, ran: [...before.ran, ...after.ran] }
}

function runScripts(
  { member, run, lease }: DatabaseHooks,
  { scripts, snapshot }: Work,
  options: ReleaseOptions,
): Promise<PlanOutcome> {
  const { connection, database, history } = member
  return runPlan(connection, {
    history,
    run,
    lease,
    scripts,
    snapshot,
    surroundings: { root: options.root, environment: options.environment ?? {} },
    resume: options.resume,
    transaction: options.transaction,
    signal: options.signal,
    cancel: options.cancel,
    ...options.limits,
    onEvent: (event) => options.onEvent?.({ ...event, database: database.name }),
    timesStatements: options.timesStatements,
    onObserved: options.onObserved && ((observation) => options.onObserved?.(database.name, observation)),
  })
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
