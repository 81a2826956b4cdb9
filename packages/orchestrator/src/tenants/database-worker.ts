import { randomUUID } from 'node:crypto'

import type { TenantsConfig } from '@drover/config'
import {
  acquireLease,
  type Connection,
  type ConnectionUrl,
  createDatabase,
  ensureStore,
  isPlain,
  openConnection,
  type PlanOutcome,
  recordEnd,
  recordStart,
  type Run,
  runPlan,
} from '@drover/engine'

import { problemsOf } from '../release/fleet.ts'
import type { HostOptions, TenantWork, Worker } from './host.ts'
import type { NamedTenant } from './name-tenant.ts'
import { writeDatabaseOpening } from './opening.ts'
import { refuseOtherHistories } from './tenant-database.ts'

/** What somebody who works on the databases of tenants needs. */
export interface DatabaseWork {
  /** Of the server, with any of its databases. */
  readonly url: ConnectionUrl
  readonly config: TenantsConfig
  /** The run on the server, of which each database has a record of its own. */
  readonly run: Run
  /** Whether others may run beside it. */
  readonly isShared: boolean
  readonly options: HostOptions
}

/** Makes somebody who works on the databases of one server, one after the other: each has a connection for as long as that takes. */
export function openDatabaseWorker({ url, config, run, isShared, options }: DatabaseWork): Worker {
  return {
    carryOut: async (tenant: NamedTenant, work) => {
      const own: Run = { ...run, id: randomUUID() }
      try {
        const place = url.withDatabase(tenant.target)
        if (work.isNew) await createDatabase(place)
        await using connection = openConnection(place)
        if (work.isNew) {
          await refuseOtherHistories(connection, own.history)
          await connection.send(writeDatabaseOpening(config, tenant))
        }
        await ensureStore(connection)
        return await carryOutIn(connection, { run: own, isShared, options }, work)
      } catch (error) {
        const [problem] = problemsOf(error, run.history)
        return { finished: [], end: { kind: 'failed', step: undefined, problem: problem! }, notTried: work.scripts }
      }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

async function carryOutIn(
  connection: Connection,
  { run, isShared, options }: Omit<DatabaseWork, 'url' | 'config'>,
  { scripts, snapshot, lockAttempts, signal, cancel }: TenantWork,
): Promise<PlanOutcome> {
  const { history, root, environment, limits } = options
  const surroundings = { root, environment }
  const plan = { history, run, scripts, snapshot, surroundings, ...limits, lockAttempts, cancel }
  const isWhole = scripts.slice(snapshot?.revisions.length ?? 0).every(isPlain)
  // What is one transaction needs no lease: what it finds applied keeps others out, and whoever dies leaves nothing behind.
  await using lease = isWhole ? undefined : await acquireLease(connection, run, { waitMs: 0 })
  await recordStart(connection, run, scripts, { isShared })
  const outcome = await (isWhole
    ? runPlan(connection, { ...plan, transaction: 'all' })
    : runPlan(connection, { ...plan, lease, isShared: true, signal, resume: true }))
  const { end } = outcome
  // A connection that is gone cannot say so, and what is recorded of the revisions tells all the same.
  await recordEnd(connection, run, end.kind, end.kind === 'failed' ? end.problem : undefined).catch(() => undefined)
  if (end.kind !== 'failed' || end.problem.code !== 'LEASE_LOST') return outcome
  // The lease of one database is of no other: whoever has it now is waited for.
  return { ...outcome, end: { ...end, problem: { ...end.problem, code: 'LOCKED' } } }
}
