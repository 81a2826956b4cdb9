import { type FleetStatus, sumJobs } from '@drover/fleet'
import type { Problem } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import { type FleetOptions, locateFleet } from '../fleet.ts'
import { interruptible } from '../interruption.ts'
import { describeFleetEvent, describeWork } from '../render/fleet.ts'
import { count } from '../render/text.ts'
import type { Session } from '../session.ts'
import { openTenants } from '../tenants.ts'

interface WorkerOptions extends FleetOptions {
  readonly connections?: number
  readonly drain?: boolean
  readonly lockTimeout?: number
  readonly statementTimeout?: number
}

/** Works on what is in the queue, until it is told to stop. */
export async function workInFleet(session: Session, options: WorkerOptions): Promise<ExitCode> {
  const { workspace, database, url } = await locateFleet(session, options)
  const { name } = database
  const { drain = false, connections, lockTimeout, statementTimeout } = options
  const { openQueue, workQueue } = await import('@drover/fleet')
  await using set = await openTenants(session, workspace, database)
  await using queue = await openQueue(url, name, 'work')
  const onSignal = (_: string, received: number) =>
    session.progress(
      received === 1 ? `${name}  stops when what is running is done` : `${name}  cancels what is running`,
    )
  // Awaited here: the connections are closed when this function returns.
  return await interruptible(session, { onSignal, cancellable: true }, async ({ signal, cancel, exitCode }) => {
    session.progress(`${name}  takes tenants from the queue in ${url.place}`, name)
    const outcome = await workQueue(set, queue, {
      root: workspace.root,
      environment: session.io.env,
      command: session.command,
      actor: session.actor(workspace),
      limits: {
        ...(lockTimeout !== undefined && { lockTimeoutMs: lockTimeout }),
        ...(statementTimeout !== undefined && { statementTimeoutMs: statementTimeout }),
      },
      ...(connections !== undefined && { connections }),
      drain,
      signal,
      cancel,
      onEvent: (event) => {
        const message = describeFleetEvent(event, name, session.err)
        const { type, ...fields } = event
        const level = type === 'fleet-progress' ? 'info' : 'warn'
        session.tell(() => ({ level, event: type, message, database: name, ...fields }), message)
      },
    })
    session.print(describeWork(name, outcome))
    const { stoppedBy, isInterrupted, ...done } = outcome
    const body = { databases: [], fleet: { database: name, ...done } }
    if (stoppedBy) return session.finish(body, [stoppedBy])
    if (isInterrupted) return session.finish(body, [], exitCode())
    const status = await queue.status()
    return session.finish(body, status ? problemsOf(name, status) : [])
  })
}

/** What keeps a release from being through, whoever worked on it. */
function problemsOf(database: string, { servers, failed }: FleetStatus): readonly Problem[] {
  const counts = sumJobs(servers)
  const [first] = failed
  if (!first) return []
  const left = counts.queued + counts.waiting
  const others = left === 0 ? '' : `, and ${left} wait for it`
  return [
    {
      code: 'TENANTS_FAILED',
      database,
      message: `${count(counts.failed, 'tenant')} failed${others}; ${first.slug}: ${first.problem.message}`,
      hint: 'see all of them with: pnpm migrate fleet status; put right what they failed of, then: pnpm migrate fleet retry',
      tenants: failed.map(({ slug }) => slug),
    },
  ]
}
