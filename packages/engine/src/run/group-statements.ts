import { quoteLiteral } from '../sql/quote.ts'
import { tryHistoryLock } from '../lease/history-lock.ts'
import type { Script } from '../source/script.ts'
import { storeSchema } from '../store/tables.ts'
import { type Holder, leaseOf, type Limits, resetRole, spent, startSetting } from './guard.ts'

/** The statements of Drover's own between those of the revisions of a group. */
export interface GroupStatements {
  /** What they all need, once in the message. */
  readonly prepare: string
  /** For a revision that is not the first: fails unless the lease is still the holder's, and sets the limits. */
  readonly begin: string
  /** The row that tells that a statement was carried out. */
  readonly mark: string
  /** The record that a revision was applied or reverted; fails unless that changes what is recorded. */
  readonly record: (script: Script) => string
}

/** What the rows are called that they bring. */
interface Columns {
  readonly markerColumn: string
  readonly durationColumn: string
  /** What else the rows that tell how far the server came are to tell, as an expression with its name. */
  readonly more?: string | undefined
}

/** Writes the statements for the revisions of one message, as prepared statements of its session. */
export function prepareGroup(
  holder: Holder,
  { lockTimeoutMs, statementTimeoutMs, idleTimeoutMs }: Limits,
  { markerColumn, durationColumn, more }: Columns,
): GroupStatements {
  const history = quoteLiteral(holder.history)
  const settings = Object.entries({
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    ...(idleTimeoutMs !== undefined && { idle_in_transaction_session_timeout: idleTimeoutMs }),
  }).map(([name, ms]) => `pg_catalog.set_config('${name}', '${ms}', true)`)
  // The lock comes first, so that nobody changes the history between the look at the lease and the end of the transaction; who
  // has done so in the moment before is found out by the record.
  const isOurs = `case when ${tryHistoryLock(holder.history)}
  then exists (select from ${storeSchema}.lease where ${leaseOf(holder)}) and coalesce(pg_catalog.current_schema() operator(pg_catalog.<>) '${storeSchema}', true)
  else false end`
  const told = more === undefined ? '' : `, ${more}`
  return {
    prepare: `deallocate all;
prepare drover_begin as select 1 operator(pg_catalog./) (${isOurs})::pg_catalog.int4 as "${markerColumn}", pg_catalog.pg_advisory_unlock_all(), ${settings.join(', ')}, pg_catalog.set_config('${startSetting}', (extract(epoch from pg_catalog.clock_timestamp()))::pg_catalog.text, true)${told};
prepare drover_mark as select 1 as "${markerColumn}"${told};
prepare drover_applied (pg_catalog.text, pg_catalog.text) as insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values (${history}, '', $1, $2, ${holder.run}, ${spent}) returning duration_ms as "${durationColumn}";
prepare drover_reverted (pg_catalog.text) as with gone as (
  delete from ${storeSchema}.applied where (history, target, revision) operator(pg_catalog.=) (${history}, '', $1) returning 1
)
select (${spent}) operator(pg_catalog./) (pg_catalog.count(*))::pg_catalog.numeric as "${durationColumn}" from gone;
`,
    begin: 'execute drover_begin;\n',
    mark: 'execute drover_mark;\n',
    record: ({ direction, revision, checksum }) => {
      const id = quoteLiteral(revision.id)
      return direction === 'up'
        ? `${resetRole}execute drover_applied (${id}, ${quoteLiteral(checksum)});\n`
        : `${resetRole}execute drover_reverted (${id});\n`
    },
  }
}
