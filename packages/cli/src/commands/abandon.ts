import { describeHolder } from '@drover/engine'
import type { Direction } from '@drover/history'
import { type AbandonmentOutcome, planAbandonments, runAbandonments } from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import { type ExitCode, exitCodeOf } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import {
  abandonmentJson,
  abandonmentOutcomeJson,
  describeAbandonments,
  describeAbandonOutcomes,
  findRemainder,
} from '../render/abandon.ts'
import { eventEntry } from '../render/event.ts'
import { fleetJson } from '../render/json.ts'
import type { CommonOptions, Session } from '../session.ts'

interface AbandonOptions extends CommonOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** In milliseconds. */
  readonly waitLock?: number
}

/** Has databases forget that a revision was begun whose statements are not all done. Runs no revision. */
export async function abandon(session: Session, options: AbandonOptions, direction: Direction): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  await using fleet = await session.fleet(workspace, selected)
  const refuse = (problems: Parameters<Session['finish']>[1]) =>
    session.finish({ databases: fleetJson(selected, fleet) }, problems)
  if (fleet.unread.length > 0) return refuse(fleet.unread.flatMap((unread) => unread.problems))
  const planned = await planAbandonments(fleet.members, direction, workspace.root)
  if (!planned.ok) return refuse(planned.problems)
  const { abandonments } = planned
  if (abandonments.length === 0) {
    session.print('no revision is half done: nothing to abandon')
    return refuse([])
  }
  const body = { databases: abandonments.map((one) => abandonmentJson(one, 'planned')) }
  if (options.dryRun) {
    session.print(...describeAbandonments(abandonments, 'would', session.out))
    return session.finish(body)
  }
  const objection = await findObjection(session, {
    lines: describeAbandonments(abandonments, 'will', session.err),
    question: abandonments.length === 1 ? 'Abandon this revision?' : 'Abandon these revisions?',
    what: 'the abandonment',
    databases: abandonments.map(({ member }) => member.database),
    yes: options.yes,
  })
  if (objection) return session.finish(body, [objection])

  // Awaited here: the connections are closed when this function returns.
  return await interruptible(session, { untouched: () => body }, async ({ signal, exitCode: interrupted }) => {
    const outcomes = await runAbandonments(abandonments, {
      command: `${session.command} --abandon`,
      actor: session.actor(workspace),
      signal,
      ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
      onWaiting: (database, holder) =>
        session.tell(
          () => eventEntry({ type: 'lease-waiting', database, holder }),
          `${database}: ${session.err.warn('waiting')} for another run: ${describeHolder(holder)}`,
        ),
    })
    session.print(...describeAbandonOutcomes(outcomes, session.out))
    for (const outcome of outcomes) {
      const remainder = outcome.end === 'done' ? findRemainder(outcome.abandonment) : undefined
      if (remainder) session.warn(remainder)
    }
    return session.finish(
      { databases: outcomes.map(abandonmentOutcomeJson) },
      outcomes.flatMap(({ problem }) => (problem ? [problem] : [])),
      exitCodeOfOutcomes(outcomes, interrupted()),
    )
  })
}

/** @param interrupted how the command ends when it was stopped and nothing failed */
function exitCodeOfOutcomes(outcomes: readonly AbandonmentOutcome[], interrupted: ExitCode): ExitCode {
  const problems = outcomes.flatMap(({ problem }) => (problem ? [problem] : []))
  if (problems.length === 0) return outcomes.some(({ end }) => end === 'not-tried') ? interrupted : 0
  // When none was abandoned, it was refused before anything was changed.
  return outcomes.some(({ end }) => end === 'done') ? 1 : exitCodeOf(problems)
}
