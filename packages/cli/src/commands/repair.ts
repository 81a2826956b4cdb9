import { describeHolder } from '@drover/engine'
import { type DatabaseRepair, planRepair, runRepair } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import { readAppliedChecksums } from '../planning.ts'
import { eventEntry } from '../render/event.ts'
import { describeRepair, repairJson } from '../render/repair.ts'
import type { CommonOptions, Session } from '../session.ts'

interface RepairOptions extends CommonOptions {
  readonly dryRun?: boolean
  /** In milliseconds. */
  readonly waitLock?: number
}

/**
 * Has the databases remember the files of applied revisions as they are now, where only comments or white space were
 * edited. Nothing is repaired anywhere while the statements of any applied revision have changed.
 */
export async function repair(session: Session, options: RepairOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  await using fleet = await session.fleet(workspace, selected)
  const unread = fleet.unread.flatMap((one) => one.problems)
  if (unread.length > 0) return session.finish({ databases: [] }, unread)
  const planned = planRepair(fleet.members, await readAppliedChecksums(workspace, fleet.members))
  if (!planned.ok) return session.finish({ databases: [] }, planned.problems)
  if (options.dryRun) return tell(session, planned.databases, 'planned')

  return await interruptible(session, {}, async ({ signal }) => {
    await runRepair(planned.databases, {
      command: session.command,
      actor: session.actor(workspace),
      signal,
      ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
      onWaiting: (database, holder) =>
        session.tell(
          () => eventEntry({ type: 'lease-waiting', database, holder }),
          `${database}: waiting for another run: ${describeHolder(holder)}`,
        ),
    })
    return tell(session, planned.databases, 'repaired')
  })
}

function tell(session: Session, databases: readonly DatabaseRepair[], status: 'planned' | 'repaired'): ExitCode {
  session.print(...databases.flatMap((database) => describeRepair(database, status, session.out)))
  return session.finish({ databases: databases.map((database) => repairJson(database, status)) })
}
