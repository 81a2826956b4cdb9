import { DroverError } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { endOf, type Run, startOf } from '../store/runs.ts'
import { isStoreMissing, storeSchema } from '../store/tables.ts'
import { selectHistoryLockHolder } from './history-lock.ts'
import { type LeaseHolder, readHolder, selectHolder } from './lease.ts'

/** Who holds the right to change a database, as it says itself. All times are told by the server's clock. */
export type LeaseStatus = {
  /** Process id of the session that is in the middle of a transaction of the history, if any is. */
  readonly transactionPid?: number
} & (
  | { readonly state: 'free' }
  | {
      /** `expired`: nothing has been heard of its holder for too long, and the next run takes it over. */
      readonly state: 'held' | 'expired'
      readonly holder: LeaseHolder
      /** The user of the database that took it. */
      readonly databaseUser: string
      /** The id of the run that holds it. */
      readonly run: string
      /** How long ago its holder was heard of, in milliseconds. */
      readonly heartbeatAgeMs: number
      /** In how many milliseconds it expires; 0 when it has. */
      readonly expiresInMs: number
    }
)

/** Reads who holds the lease of a history. Takes no lock and waits for none. A database that Drover has never touched is free. */
export async function readLease(connection: Connection, history: string): Promise<LeaseStatus> {
  try {
    const [row] = await connection.send(`${pinSearchPath}
select ${selectHistoryLockHolder({ history })} as transaction_pid, ${selectHolder},
  held.database_user, held.run::text, held.expires_at > clock_timestamp() as alive,
  ${selectMs('clock_timestamp() - held.heartbeat_at')} as heartbeat_age,
  ${selectMs('held.expires_at - clock_timestamp()')} as expires_in
from (select) as always
left join ${storeSchema}.lease as held on held.history = ${quoteLiteral(history)} and isfinite(held.expires_at)`)
    return readStatus(row!)
  } catch (error) {
    if (isStoreMissing(error)) return { state: 'free' }
    throw error
  }
}

/** Milliseconds of an interval from 0; a clock that was set back makes no negative ages. */
function selectMs(interval: string): string {
  return `greatest(0, extract(epoch from ${interval}) * 1000)::double precision`
}

function readStatus(row: Row): LeaseStatus {
  const pid = row['transaction_pid']
  const transaction = typeof pid === 'number' ? { transactionPid: pid } : {}
  const holder = readHolder(row)
  if (!holder) return { state: 'free', ...transaction }
  return {
    state: row['alive'] === true ? 'held' : 'expired',
    holder,
    databaseUser: String(row['database_user']),
    run: String(row['run']),
    heartbeatAgeMs: Math.round(Number(row['heartbeat_age'])),
    expiresInMs: Math.round(Number(row['expires_in'])),
    ...transaction,
  }
}

/** Raised when the lease is no longer the one that was to be released. PostgreSQL itself uses no class DR. */
const gone = 'DRV03'

/**
 * Takes the lease of a history away from the run that holds it, and records who did so. What that run is in the middle of is
 * let be: the transaction commits, or was refused already; each later one is refused by its guard, because the token is another.
 * @param run who takes it away
 * @param holder the id of the run that it is taken from, however often that has changed its token
 * @returns whether that run still held it
 * @throws {DroverError} `LOCKED` when somebody else has locked the row, which is not waited for
 */
export async function releaseLease(connection: Connection, run: Run, holder: string): Promise<boolean> {
  try {
    await connection.send(`${pinSearchPath}set local lock_timeout = 100;
do $drover$
begin
  update ${storeSchema}.lease
  set token = token + 1, expires_at = '-infinity'
  where history = ${quoteLiteral(run.history)} and run = ${quoteLiteral(holder)} and isfinite(expires_at);
  if not found then
    raise exception 'gone' using errcode = '${gone}';
  end if;
end
$drover$;
${startOf(run, [])};${endOf(run, 'succeeded')}`)
    return true
  } catch (error) {
    const sqlstate = sqlstateOf(error)
    if (sqlstate === gone) return false
    if (sqlstate !== '55P03' && sqlstate !== '40P01') throw error
    throw new DroverError(
      {
        code: 'LOCKED',
        database: run.history,
        message: 'the lease was not released: somebody else has locked its row',
        hint: 'run the same command again; a session that keeps it is in pg_locks, for the table drover.lease',
      },
      { cause: error },
    )
  }
}
