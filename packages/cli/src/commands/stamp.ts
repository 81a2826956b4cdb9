import { describeHolder } from '@drover/engine'
import {
  type DatabaseStamp,
  isEmptyStamp,
  planStamps,
  runStamps,
  selectDatabases,
  type StampOutcome,
  targetsByDatabase,
  type Workspace,
} from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import { type ExitCode, exitCodeOf } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import { eventEntry } from '../render/event.ts'
import { fleetJson } from '../render/json.ts'
import { describeStampOutcomes, describeStamps, stampOutcomeJson, stampPlanJson } from '../render/stamp.ts'
import type { CommonOptions, Session } from '../session.ts'
import { readTargets } from '../targets.ts'

interface StampOptions extends CommonOptions {
  readonly purge?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** In milliseconds. */
  readonly waitLock?: number
}

/** Has databases say of themselves that they stand at the targets, without running anything. */
export async function stamp(session: Session, options: StampOptions, ...texts: readonly string[]): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  const targets = targetsByDatabase(
    readTargets(workspace, texts),
    selected.map((database) => database.name),
  )
  const wanted = selectDatabases(workspace, [...targets.keys()])
  await using fleet = await session.fleet(workspace, wanted)
  const unread = fleet.unread.flatMap((one) => one.problems)
  if (fleet.unread.length > 0) return session.finish({ databases: fleetJson(wanted, fleet) }, unread)

  const planned = planStamps(fleet.members, targets, { purge: options.purge === true })
  if (!planned.ok) return session.finish({ databases: fleetJson(wanted, fleet) }, planned.problems)
  const { stamps } = planned
  if (options.dryRun) {
    session.print(...describeStamps(stamps, 'would', session.out))
    return session.finish({ databases: stamps.map(stampPlanJson) })
  }
  const changed = stamps.filter((one) => !isEmptyStamp(one))
  if (changed.length > 0) {
    const objection = await findObjection(session, {
      lines: describeStamps(changed, 'will', session.err),
      question: 'Change these records?',
      what: 'the stamp',
      databases: changed.map(({ member }) => member.database),
      yes: options.yes,
    })
    if (objection) return session.finish({ databases: stamps.map(stampPlanJson) }, [objection])
  }
  // Awaited here: the connections are closed when this function returns.
  return await carryOutStamps(session, options, workspace, stamps)
}

/** How stamps are carried out. */
export interface StampRunOptions {
  /** In milliseconds. */
  readonly waitLock?: number
  /** Whether revisions may be recorded whose SQL is still to be filled in. */
  readonly acceptUnfilled?: boolean
}

/** Carries stamps out, says how it went, and ends the command. */
export async function carryOutStamps(
  session: Session,
  options: StampRunOptions,
  workspace: Workspace,
  stamps: readonly DatabaseStamp[],
): Promise<ExitCode> {
  const untouched = () => ({ databases: stamps.map(stampPlanJson) })
  return interruptible(session, { untouched }, async ({ signal, exitCode: interrupted }) => {
    const outcomes = await runStamps(stamps, {
      root: workspace.root,
      command: session.command,
      actor: session.actor(workspace),
      signal,
      ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
      acceptUnfilled: options.acceptUnfilled === true,
      onWaiting: (database, holder) =>
        session.tell(
          () => eventEntry({ type: 'lease-waiting', database, holder }),
          `${database}: ${session.err.warn('waiting')} for another run: ${describeHolder(holder)}`,
        ),
    })
    session.print(...describeStampOutcomes(outcomes, session.out))
    const problems = outcomes.flatMap(({ problem }) => (problem ? [problem] : []))
    const exitCode = problems.length > 0 ? exitCodeOfFailure(outcomes) : wasStopped(outcomes) ? interrupted() : 0
    return session.finish({ databases: outcomes.map(stampOutcomeJson) }, problems, exitCode)
  })
}

/** Each stamp is all or nothing: when none was carried out, it was refused before anything was changed. */
function exitCodeOfFailure(outcomes: readonly StampOutcome[]): ExitCode {
  if (outcomes.some(({ end }) => end === 'done')) return 1
  return exitCodeOf(outcomes.flatMap(({ problem }) => (problem ? [problem] : [])))
}

function wasStopped(outcomes: readonly StampOutcome[]): boolean {
  return outcomes.some(({ end }) => end === 'not-tried')
}
