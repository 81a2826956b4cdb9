import { readChecksums } from '@drover/engine'
import { type Direction, DroverError, parseTarget, type Problem, type Target } from '@drover/history'
import {
  appliedIds,
  type Database,
  type DatabaseOutcome,
  databasesOfTarget,
  type Fleet,
  type Member,
  planRelease,
  type ReleasePlan,
  runRelease,
  selectDatabases,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { fleetJson, outcomeJson, planJson } from '../render/json.ts'
import { describeEvent, describeOutcome, describePlaces, describePlan, describeUndoing } from '../render/release.ts'
import type { CommonOptions, Session } from '../session.ts'

/** The options of the commands that change databases. Durations are in milliseconds. */
interface RunOptions extends CommonOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly lockTimeout?: number
  readonly statementTimeout?: number
  readonly waitLock?: number
  readonly onFailure?: 'stop' | 'continue' | 'rollback'
}

export async function upgrade(session: Session, options: RunOptions, target = 'head'): Promise<ExitCode> {
  return move(session, options, { direction: 'up', target, createMissing: false })
}

export async function downgrade(session: Session, options: RunOptions, target = '-1'): Promise<ExitCode> {
  return move(session, options, { direction: 'down', target, createMissing: false })
}

export async function init(session: Session, options: RunOptions): Promise<ExitCode> {
  return move(session, options, { direction: 'up', target: 'head', createMissing: true })
}

interface Move {
  readonly direction: Direction
  readonly target: string
  readonly createMissing: boolean
}

/** Read, plan, show, confirm, run, tell: the way of every release. */
async function move(
  session: Session,
  options: RunOptions,
  { direction, target, createMissing }: Move,
): Promise<ExitCode> {
  const parsed = parseTarget(target)
  if (!parsed.ok) return session.finish({ databases: [] }, [parsed.problem])
  const { workspace, selected } = await session.workspace()
  const wanted = narrow(workspace, selected, parsed.target, session.command)

  await using fleet = await session.fleet(workspace, wanted, { createMissing: createMissing && !options.dryRun })
  for (const { database, created } of fleet.members)
    if (created) session.progress(`${database.name}: created the database`)
  if (fleet.unread.length > 0)
    return refuse(
      session,
      wanted,
      fleet,
      fleet.unread.flatMap((unread) => unread.problems),
    )

  const checksums = direction === 'up' ? await readAppliedChecksums(workspace, fleet.members) : new Map()
  const planned = planRelease(fleet.members, direction, parsed.target, checksums)
  if (!planned.ok) return refuse(session, wanted, fleet, planned.problems)
  const { plan } = planned
  if (options.dryRun) {
    session.print(...describePlan(plan, session.out))
    return session.finish({ databases: plan.databases.map(planJson) })
  }
  const refusal = await confirm(session, options, workspace, plan)
  if (refusal) return session.finish({ databases: plan.databases.map(planJson) }, [refusal])
  // Awaited here: the connections are closed when this function returns.
  return await run(session, options, workspace, plan)
}

function narrow(
  workspace: Workspace,
  selected: readonly Database[],
  target: Target,
  command: string,
): readonly Database[] {
  // A target may call its database by an alias, as --database may.
  const [named] = target.database === undefined ? [] : selectDatabases(workspace, [target.database])
  const names = databasesOfTarget(
    named ? { ...target, database: named.name } : target,
    selected.map((database) => database.name),
    command,
  )
  return selectDatabases(workspace, names)
}

function refuse(session: Session, wanted: readonly Database[], fleet: Fleet, problems: readonly Problem[]): ExitCode {
  return session.finish({ databases: fleetJson(wanted, fleet) }, problems)
}

async function readAppliedChecksums(
  workspace: Workspace,
  members: readonly Member[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const entries = members.map(async ({ database, history, state }) => {
    const applied = appliedIds(state)
    const known = history.revisions.filter((revision) => applied.has(revision.id))
    return [database.name, await readChecksums(workspace.root, known)] as const
  })
  return new Map(await Promise.all(entries))
}

/** Shows what a downgrade undoes and asks; what keeps it from being run, if anything does. */
async function confirm(
  session: Session,
  options: RunOptions,
  workspace: Workspace,
  plan: ReleasePlan,
): Promise<Problem | undefined> {
  const undoing = plan.direction === 'down' && plan.databases.some(({ steps }) => steps.length > 0)
  if (!undoing) return undefined
  const undone = await describeUndoing(workspace.root, plan, session.err)
  // Nobody can agree to what --quiet has kept from them.
  if (session.io.confirm && !options.yes) session.io.stderr.write(undone.map((line) => `${line}\n`).join(''))
  else for (const line of undone) session.progress(line)
  if (options.yes) return undefined
  if (session.io.confirm) {
    const agreed = await session.io.confirm('Revert these revisions?')
    return agreed
      ? undefined
      : {
          code: 'NOT_CONFIRMED',
          message: 'not confirmed: nothing was changed',
          hint: 'answer y, or confirm with --yes',
        }
  }
  const isProtected = plan.databases.find(({ member, steps }) => steps.length > 0 && member.database.config.protected)
  if (!isProtected) return undefined
  return {
    code: 'NOT_CONFIRMED',
    database: isProtected.member.database.name,
    message: 'the database is protected: nothing was changed',
    hint: 'confirm the downgrade with --yes',
  }
}

async function run(session: Session, options: RunOptions, workspace: Workspace, plan: ReleasePlan): Promise<ExitCode> {
  const started = performance.now()
  const interrupt = new AbortController()
  let signalled: 'SIGINT' | 'SIGTERM' | undefined
  const stopListening = session.io.onSignal((signal) => {
    signalled ??= signal
    session.progress(`${signal}: finishing the revision that is running, then stopping`)
    interrupt.abort()
  })
  const width = Math.max(...plan.databases.map(({ member }) => member.database.name.length))
  try {
    const outcomes = await runRelease(plan, {
      root: workspace.root,
      command: session.command,
      actor: session.actor(workspace),
      signal: interrupt.signal,
      ...(options.onFailure && { onFailure: options.onFailure }),
      ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
      ...(options.lockTimeout !== undefined && { lockTimeoutMs: options.lockTimeout }),
      ...(options.statementTimeout !== undefined && { statementTimeoutMs: options.statementTimeout }),
      onEvent: (event) => {
        const line = describeEvent(event, width, session.err)
        if (line !== undefined) session.progress(line)
      },
    })
    const problems = outcomes.flatMap(({ failed, rolledBack }) => [
      ...(failed ? [failed.problem] : []),
      ...(rolledBack?.problem ? [rolledBack.problem] : []),
    ])
    const exitCode = exitCodeOf(outcomes, signalled)
    session.print(...describeOutcome(outcomes, performance.now() - started, session.out))
    if (exitCode === 0 && plan.direction === 'up') session.print(...describePlaces(plan, session.out))
    return session.finish({ databases: outcomes.map(outcomeJson) }, problems, exitCode)
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'INTERRUPTED') throw error
    return session.finish({ databases: plan.databases.map(planJson) }, error.problems, exitCodeOfSignal(signalled))
  } finally {
    stopListening()
  }
}

function exitCodeOf(outcomes: readonly DatabaseOutcome[], signal: 'SIGINT' | 'SIGTERM' | undefined): ExitCode {
  if (outcomes.some((outcome) => outcome.end === 'failed')) return 1
  const stopped = outcomes.some((outcome) => outcome.end === 'interrupted' || outcome.end === 'not-tried')
  return stopped ? exitCodeOfSignal(signal) : 0
}

function exitCodeOfSignal(signal: 'SIGINT' | 'SIGTERM' | undefined): ExitCode {
  return signal === 'SIGTERM' ? 143 : 130
}
