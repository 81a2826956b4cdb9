import { describeHolder, readChecksums } from '@drover/engine'
import {
  appliedIds,
  type DatabaseRepair,
  type Member,
  planRepair,
  runRepair,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
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
  const { workspace, selected } = await session.workspace()
  await using fleet = await session.fleet(workspace, selected)
  const unread = fleet.unread.flatMap((one) => one.problems)
  if (unread.length > 0) return session.finish({ databases: [] }, unread)
  const planned = planRepair(fleet.members, await readFiles(workspace, fleet.members))
  if (!planned.ok) return session.finish({ databases: [] }, planned.problems)
  if (options.dryRun) return tell(session, planned.databases, 'planned')

  const interrupt = new AbortController()
  const stopListening = session.io.onSignal(() => interrupt.abort())
  try {
    await runRepair(planned.databases, {
      command: session.command,
      actor: session.actor(workspace),
      signal: interrupt.signal,
      ...(options.waitLock !== undefined && { waitLockMs: options.waitLock }),
      onWaiting: (database, holder) =>
        session.progress(`${database}: waiting for another run: ${describeHolder(holder)}`),
    })
  } finally {
    stopListening()
  }
  return tell(session, planned.databases, 'repaired')
}

async function readFiles(
  workspace: Workspace,
  members: readonly Member[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const entries = members.map(async ({ database, history, state }) => {
    const applied = appliedIds(state)
    const known = history.revisions.filter((revision) => applied.has(revision.id))
    return [database.name, await readChecksums(workspace.root, known, state.applied)] as const
  })
  return new Map(await Promise.all(entries))
}

function tell(session: Session, databases: readonly DatabaseRepair[], status: 'planned' | 'repaired'): ExitCode {
  session.print(...databases.flatMap((database) => describeRepair(database, status, session.out)))
  return session.finish({ databases: databases.map((database) => repairJson(database, status)) })
}
