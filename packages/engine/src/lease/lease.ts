import { setTimeout as sleep } from 'node:timers/promises'

import { DroverError } from '@drover/history'

import { type Connection, openConnection, type Row } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { selectTime } from '../sql/time.ts'
import { columnsOf, type Run, type RunColumns } from '../store/runs.ts'
import { storeSchema } from '../store/tables.ts'
import { tryHistoryLock } from './history-lock.ts'

/** The right to change one database now. Released when disposed of. */
export interface Lease extends AsyncDisposable {
  /** Grows with every holder; each transaction of a run checks that it still stands. */
  readonly token: string
  /**
   * Changes the token, so that what was sent with the one before and has not begun will not begin. The lease stays with its holder.
   * @throws {DroverError} for what went wrong with the connection, `LEASE_LOST` when somebody else holds it
   */
  fence(): Promise<void>
}

/** Who holds a lease, for people. */
export interface LeaseHolder {
  readonly osUser: string
  readonly host: string
  readonly pid: number
  readonly command: string
  /** ISO 8601. */
  readonly since: string
}

/** Options of waiting for a lease. */
export interface LeaseOptions {
  /** How long to wait for another holder, in milliseconds. Default 60,000; 0 tries once. */
  readonly waitMs?: number
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  /** Called when somebody else holds the lease, once for each holder. */
  readonly onWaiting?: (holder: LeaseHolder) => void
}

/** How long a lease lives without a sign of life from its holder, in seconds. */
const lifetime = 15
const heartbeatMs = 5_000

/**
 * Takes the lease of a history, polling while somebody else holds it: nothing ever blocks inside the database, where a
 * blocked session would make CREATE INDEX CONCURRENTLY deadlock. A holder that died is outlived, not
 * waited for; the transaction that it may have left running on the server is waited for, as what it does decides what is left to do.
 * The lease is kept alive until it is disposed of, on a connection of its own that is opened by the first heartbeat.
 * @throws {DroverError} `LOCKED` when the wait is over, `INTERRUPTED` when the signal ends it
 */
export async function acquireLease(connection: Connection, run: Run, options: LeaseOptions = {}): Promise<Lease> {
  const deadline = performance.now() + (options.waitMs ?? 60_000)
  let announced: string | undefined
  for (;;) {
    const answer = await tryAcquire(connection, run)
    if (answer.held) return keepAlive(connection, run, answer.token)
    if (performance.now() >= deadline) throw lockedBy(run, answer.holder)
    const name = JSON.stringify(answer.holder)
    if (answer.holder && name !== announced) options.onWaiting?.(answer.holder)
    announced = name
    await pause(100 + Math.random() * 200, run, options.signal)
  }
}

type Answer =
  | { readonly held: true; readonly token: string }
  // Unknown when it took the lease after our statement had begun.
  | { readonly held: false; readonly holder: LeaseHolder | undefined }

async function tryAcquire(connection: Connection, run: Run): Promise<Answer> {
  const [row] = await connection.send(`${pinSearchPath}
with taken as (
${takeLease(columnsOf(run), run.history)}
  returning token
)
select taken.token::text, ${selectHolder}
from (select) as always
left join taken on true
left join ${storeSchema}.lease as held on held.history = ${quoteLiteral(run.history)}`)
  if (typeof row?.['token'] === 'string') return { held: true, token: row['token'] }
  return { held: false, holder: row && readHolder(row) }
}

/** The columns of a lease that tell who holds it, of the row `held`. Wants the search_path pinned. */
export const selectHolder = `held.os_user, held.host, held.pid, held.command, ${selectTime('held.acquired_at')} as since`

/** Who holds a lease, from the columns of `selectHolder`; `undefined` where there is no such row. */
export function readHolder(row: Row): LeaseHolder | undefined {
  const since = row['since']
  if (typeof since !== 'string') return undefined
  return {
    osUser: String(row['os_user']),
    host: String(row['host']),
    pid: Number(row['pid']),
    command: String(row['command']),
    since,
  }
}

/** The statement that takes the lease of a history if it is free, and otherwise changes no row. */
export function takeLease(run: RunColumns, history: string): string {
  return `  insert into ${storeSchema}.lease as held (history, token, run, os_user, host, pid, command, expires_at)
  values (
    ${run.history}, 1, ${run.id}, ${run.osUser}, ${run.host},
    ${run.pid}, ${run.command}, clock_timestamp() + interval '${lifetime} seconds'
  )
  on conflict (history) do update
  set token = held.token + 1,
    run = excluded.run,
    database_user = excluded.database_user,
    os_user = excluded.os_user,
    host = excluded.host,
    pid = excluded.pid,
    command = excluded.command,
    acquired_at = clock_timestamp(),
    heartbeat_at = clock_timestamp(),
    expires_at = excluded.expires_at
  where case when held.expires_at <= clock_timestamp() then ${tryHistoryLock({ history })} else false end`
}

/** The statement that keeps a lease alive. `own` finds it. */
export function renewLease(own: string): string {
  return `update ${storeSchema}.lease
set heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + interval '${lifetime} seconds'
where ${own}`
}

/** The statement that gives a lease back. `own` finds it. */
export function returnLease(own: string): string {
  return `update ${storeSchema}.lease set expires_at = '-infinity' where ${own}`
}

function keepAlive(connection: Connection, run: Run, token: string): Lease {
  let heart: Connection | undefined
  let beating: Promise<unknown> | undefined
  let current = token
  const own = () => `history = ${quoteLiteral(run.history)} and token = ${current}`
  const timer = setInterval(() => {
    // Where the server does not answer, they would queue up, and whatever else is sent behind them.
    if (beating) return
    // The run's own connection may be busy with one long statement for an hour.
    heart ??= openConnection(connection.url)
    // A heartbeat that fails is made up for by the next; a lease that is lost is noticed by the guard of each revision.
    beating = heart
      .send(`${pinSearchPath}${renewLease(own())}`)
      .catch(() => undefined)
      .finally(() => (beating = undefined))
  }, heartbeatMs)
  timer.unref()
  return {
    get token() {
      return current
    },
    fence: async () => {
      heart ??= openConnection(connection.url)
      const [row] = await heart.send(
        `${pinSearchPath}update ${storeSchema}.lease set token = token + 1 where ${own()} returning token::text`,
      )
      if (!row) throw lostBy(run)
      current = String(row['token'])
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await beating
      await heart?.[Symbol.asyncDispose]()
      // Without a connection it cannot be given back; then it expires by itself.
      await connection.send(`${pinSearchPath}${returnLease(own())}`).catch(() => undefined)
    },
  }
}

async function pause(ms: number, run: Run, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal })
  } catch (error) {
    throw new DroverError(
      {
        code: 'INTERRUPTED',
        database: run.history,
        message: 'interrupted while waiting for another run',
        hint: 'nothing was changed; run the same command again',
      },
      { cause: error },
    )
  }
}

function lostBy(run: Run): DroverError {
  return new DroverError({
    code: 'LEASE_LOST',
    database: run.history,
    message: leaseLost.reason,
    hint: leaseLost.hint,
  })
}

/** What is said to a run whose lease has gone to somebody else, and what is to be done. */
export const leaseLost = {
  reason:
    'this run no longer holds the database: nothing was heard of it and another one has taken over, or "lock release" has taken it away',
  hint: 'see who holds it now with: pnpm migrate lock status -d <database>; then run the same command again',
} as const

function lockedBy(run: Run, holder: LeaseHolder | undefined): DroverError {
  return new DroverError({
    code: 'LOCKED',
    database: run.history,
    message: `another run holds the database: ${holder ? describeHolder(holder) : 'it has just begun'}`,
    hint: 'run again when it has ended, or wait longer with --wait-lock 10m',
  })
}

/** A holder as messages name it. */
export function describeHolder(holder: LeaseHolder): string {
  return `"${holder.command}" of ${holder.osUser} on ${holder.host}, process ${holder.pid}, since ${holder.since}`
}
