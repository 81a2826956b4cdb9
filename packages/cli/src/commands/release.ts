import type { Hook, TransactionScope } from '@drover/engine'
import { type Direction, DroverError, type Phase, type Problem } from '@drover/history'
import { countBehind, type DatabaseOutcome, type ReleasePlan, runRelease, type Workspace } from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import type { ExitCode } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import { defaultTargets, type Request, withPlan } from '../planning.ts'
import { readPlanFile } from '../plan-file.ts'
import { eventEntry } from '../render/event.ts'
import { type EndedBlocker, hookJson, outcomeJson, planJson, plannedHooksJson } from '../render/json.ts'
import {
  describeEvent,
  describeHeldBack,
  describeOutcome,
  describePlaces,
  describePlan,
  describeUndoing,
} from '../render/release.ts'
import type { CommonOptions, Session } from '../session.ts'
import { filterOf, type TenantChoice } from '../tenant-filter.ts'

/** The options of the commands that change databases. Durations are in milliseconds. */
export interface RunOptions extends CommonOptions, TenantChoice {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly lockTimeout?: number
  readonly lockAttempts?: number
  readonly killBlockersAfter?: number
  readonly statementTimeout?: number
  readonly waitLock?: number
  readonly jobs?: number
  readonly onFailure?: 'stop' | 'continue' | 'rollback'
  readonly transaction?: TransactionScope
  readonly allowOutOfOrder?: boolean
  readonly resume?: boolean
  readonly abandon?: boolean
  readonly phase?: Phase
  readonly fromSnapshot?: boolean
  /** A file of `plan --out`. */
  readonly plan?: string
  /** Slugs as they are, instead of `tenant`, whose commas separate. */
  readonly slugs?: readonly string[]
  readonly canary?: number | 'spread'
  readonly wave?: number
  readonly maxFailures?: number
  readonly giveUpAfter?: number
  readonly rate?: number
  readonly pause?: number
  readonly connections?: number
  readonly gate?: boolean
  readonly sql?: boolean
  readonly outDir?: string
}

export async function upgrade(session: Session, options: RunOptions, target?: string): Promise<ExitCode> {
  return moveOrWrite(session, options, 'up', target)
}

export async function downgrade(session: Session, options: RunOptions, target?: string): Promise<ExitCode> {
  return moveOrWrite(session, options, 'down', target)
}

export async function init(session: Session, options: RunOptions): Promise<ExitCode> {
  if (options.sql) return (await import('./init-script.ts')).writeInitScript(session)
  const { workspace, selected } = await session.workspace({ external: true })
  const { fromSnapshot = false, transaction } = options
  const request: Request = {
    direction: 'up',
    target: 'head',
    createMissing: !options.dryRun,
    fromSnapshot,
    transaction,
  }
  const provisioned = new Map<string, readonly string[]>()
  const onSteps = (database: string, steps: readonly string[]) =>
    provisioned.set(database, [...(provisioned.get(database) ?? []), ...steps])
  session.sayBesides(() => ({ provisioning: [...provisioned].map(([name, steps]) => ({ name, steps })) }))
  if (!selected.some(({ config }) => config.access)) return move(session, options, request)
  const { carryOutProvisioning, describeProvisioning, planProvisioning, tellSteps } = await import('../provisioning.ts')
  const provision = async () => {
    const found = await planProvisioning(session, workspace, selected)
    return found.ok ? carryOutProvisioning(session, found.works, onSteps) : found.problems
  }

  const found = await planProvisioning(session, workspace, selected)
  if (!found.ok) return session.finish({ databases: [] }, found.problems)
  session.print(...describeProvisioning(found.works, options.dryRun === true, session.out))
  // What an upgrade would do can only be asked of databases that are there and let their owner in.
  if (options.dryRun && found.works.length > 0) {
    tellSteps(found.works, onSteps)
    return session.finish({ databases: [] })
  }
  const problems = await carryOutProvisioning(session, found.works, onSteps)
  if (problems.length > 0) return session.finish({ databases: [] }, problems)
  // Once more afterwards: a revision may have made a schema.
  return move(session, options, request, provision)
}

async function moveOrWrite(
  session: Session,
  options: RunOptions,
  direction: Direction,
  target: string | undefined,
): Promise<ExitCode> {
  refuseMixture(session.command, options, target)
  if (options.abandon) return (await import('./abandon.ts')).abandon(session, options, direction)
  const { allowOutOfOrder = false, resume = false, phase, fromSnapshot = false, transaction } = options
  const file = options.plan === undefined ? undefined : readPlanFile(session, options.plan)
  const request = {
    direction,
    target: target ?? defaultTargets[direction],
    allowOutOfOrder,
    resume,
    phase,
    fromSnapshot,
    transaction,
    tenants: filterOf(options, session.io.env),
    ...(file && { file }),
  }
  if (!options.sql) return move(session, options, request)
  const { writeOffline } = await import('./offline.ts')
  return writeOffline(session, options, request)
}

/** What is asked for once must not be asked for in another way as well. */
function refuseMixture(command: string, options: RunOptions, target: string | undefined): void {
  if (options.plan !== undefined && target !== undefined) {
    throw new DroverError({
      code: 'USAGE',
      message: `the target "${target}" is given together with --plan, and the plan has its own`,
      hint: `leave one of them out: pnpm migrate ${command} --plan ${options.plan}`,
    })
  }
  if (options.abandon && target !== undefined) {
    throw new DroverError({
      code: 'USAGE',
      message: `the target "${target}" is given together with --abandon, which goes nowhere`,
      hint: `abandon first: pnpm migrate ${command} --abandon`,
    })
  }
  if (options.outDir !== undefined && !options.sql) {
    const hint = `write scripts with: pnpm migrate ${command} --sql --out-dir ${options.outDir}`
    throw new DroverError({ code: 'USAGE', message: '--out-dir is for scripts, and --sql is not given', hint })
  }
}

/**
 * Read, plan, show, confirm, run, tell: the way of every release.
 * @param afterwards done when all of it has succeeded; what it returns has failed
 */
async function move(
  session: Session,
  options: RunOptions,
  request: Request,
  afterwards?: () => Promise<readonly Problem[]>,
): Promise<ExitCode> {
  return withPlan(session, request, async ({ workspace, plan }) => {
    const hooks = await session.runHooks(workspace)
    if (options.dryRun) {
      session.print(...describePlan(plan, hooks, session.out), ...describeHeldBack(plan, session.out))
      return session.finish({ databases: plan.databases.map(planJson), ...plannedHooksJson(plan, hooks) })
    }
    const refusal = await confirm(session, options, workspace, plan)
    if (refusal) return session.finish({ databases: plan.databases.map(planJson) }, [refusal])
    return run(session, options, workspace, { plan, hooks }, afterwards)
  })
}

/** Shows what a downgrade undoes and asks; what keeps it from being run, if anything does. */
async function confirm(
  session: Session,
  options: RunOptions,
  workspace: Workspace,
  plan: ReleasePlan,
): Promise<Problem | undefined> {
  const changed = plan.databases.filter(
    ({ steps, tenants }) => steps.length > 0 || (tenants !== undefined && countBehind(tenants.survey) > 0),
  )
  const undoing = plan.direction === 'down' && changed.length > 0
  if (!undoing) return undefined
  const undone = await describeUndoing(workspace.root, plan, session.err)
  return findObjection(session, {
    lines: undone,
    question: 'Revert these revisions?',
    what: 'the downgrade',
    databases: changed.map(({ member }) => member.database),
    yes: options.yes,
  })
}

async function run(
  session: Session,
  options: RunOptions,
  workspace: Workspace,
  { plan, hooks }: { readonly plan: ReleasePlan; readonly hooks: readonly Hook[] },
  afterwards?: () => Promise<readonly Problem[]>,
): Promise<ExitCode> {
  const started = performance.now()
  const width = Math.max(...plan.databases.map(({ member }) => member.database.name.length))
  const onSignal = (signal: string, received: number) => {
    const [once, again] = ['finishing the revision that is running, then stopping', 'cancelling what is running']
    const message = `${signal}: ${received === 1 ? once : again}`
    session.tell(() => ({ level: 'warn', event: 'signal', message, signal }), message)
  }
  const untouched = () => ({ databases: plan.databases.map(planJson) })
  return interruptible(
    session,
    { onSignal, untouched, cancellable: true },
    async ({ signal, cancel, exitCode: interrupted }) => {
      const killed: EndedBlocker[] = []
      const release = await runRelease(plan, {
        root: workspace.root,
        databases: workspace.databases,
        command: session.command,
        actor: session.actor(workspace),
        signal,
        cancel,
        environment: session.io.env,
        hooks,
        resume: options.resume,
        jobs: options.jobs,
        onFailure: options.onFailure,
        transaction: options.transaction,
        limits: {
          lockTimeoutMs: options.lockTimeout,
          lockAttempts: options.lockAttempts,
          killBlockersAfterMs: options.killBlockersAfter,
          statementTimeoutMs: options.statementTimeout,
        },
        ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
        fanOut: {
          canary: options.canary,
          wave: options.wave,
          maxFailures: options.maxFailures,
          giveUpAfterMs: options.giveUpAfter,
          ratePerSecond: options.rate,
          pauseMs: options.pause,
          connections: options.connections,
          gate: options.gate,
        },
        onEvent: (event) => {
          if (event.type === 'blocker-ended') killed.push({ database: event.database, blocker: event.blocker })
          session.tell(() => eventEntry(event), describeEvent(event, width, session.err))
          // Whatever it was that failed is what ends the run.
          if (event.type === 'hook-failed' && event.hook.moment === 'onFailure') session.warn(event.problem)
        },
      })
      const { databases: outcomes, problem } = release
      const problems = [
        ...outcomes.flatMap(({ failed, rolledBack }) => [
          ...(failed ? [failed.problem] : []),
          ...(rolledBack?.problem ? [rolledBack.problem] : []),
        ]),
        ...(problem ? [problem] : []),
      ]
      const ended = problem ? 1 : exitCodeOf(outcomes, interrupted())
      const later = ended === 0 && afterwards ? await afterwards() : []
      const exitCode = later.length > 0 ? 1 : ended
      session.print(...describeOutcome(outcomes, performance.now() - started, session.out))
      session.print(...describeHeldBack(plan, session.out))
      if (exitCode === 0 && plan.direction === 'up') session.print(...describePlaces(plan, session.out))
      const body = () => ({
        databases: outcomes.map((outcome) => outcomeJson(outcome, killed)),
        ...(release.hooks.length > 0 && { hooks: release.hooks.map(hookJson) }),
      })
      return session.finish(body, [...problems, ...later], exitCode)
    },
  )
}

/** @param interrupted how the command ends when it was stopped and nothing failed */
function exitCodeOf(outcomes: readonly DatabaseOutcome[], interrupted: ExitCode): ExitCode {
  if (outcomes.some((outcome) => outcome.end === 'failed')) return 1
  const stopped = outcomes.some(({ end }) => end === 'interrupted' || end === 'stopped' || end === 'not-tried')
  return stopped ? interrupted : 0
}
