import { randomUUID } from 'node:crypto'

import {
  acquireLease,
  type Connection,
  ensureStore,
  type Lease,
  recordEnd,
  recordStart,
  type Run,
} from '@drover/engine'

import type { BeginOptions, HostRun } from './host.ts'

/** A run on the tenants of one server, as it is recorded there. */
interface BegunRun extends Pick<HostRun, 'end'> {
  readonly run: Run
  /** Missing where others may run beside it. */
  readonly lease: Lease | undefined
}

/**
 * Begins a run on the tenants of one server: records it, and holds the history unless others may run beside it.
 * @param connection to where runs over all tenants of the server are recorded
 * @throws {DroverError} `LOCKED` when another run has it, and for what is wrong with the server
 */
export async function beginRun(
  connection: Connection,
  history: string,
  release: string,
  { command, actor, waitLockMs, signal, isShared = false }: BeginOptions,
): Promise<BegunRun> {
  await ensureStore(connection)
  const run: Run = { id: randomUUID(), release, history, command, actor }
  await using begun = new AsyncDisposableStack()
  const lease = isShared
    ? undefined
    : begun.use(
        await acquireLease(connection, run, {
          ...(waitLockMs !== undefined && { waitMs: waitLockMs }),
          ...(signal && { signal }),
        }),
      )
  await recordStart(connection, run, [], { isShared })
  const held = begun.move()
  return {
    run,
    lease,
    end: async (outcome, problem) => {
      // A connection that is gone cannot say so, and what is recorded of the tenants tells all the same.
      await recordEnd(connection, run, outcome, problem).catch(() => undefined)
      await held.disposeAsync()
    },
  }
}
