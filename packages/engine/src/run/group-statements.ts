import type { Direction } from '@drover/history'

import { quoteLiteral } from '../sql/quote.ts'
import { tryHistoryLock } from '../lease/history-lock.ts'
import type { Script } from '../source/script.ts'
import { storeSchema } from '../store/tables.ts'
import {
  type Holder,
  isLeased,
  leaseOf,
  type Limits,
  resetRole,
  type SearchPath,
  setSearchPath,
  spent,
  startSetting,
} from './guard.ts'

/** The statements of Drover's own between those of the revisions of a group. */
export interface GroupStatements {
  /** What they all need, once in the message. */
  readonly prepare: string
  /**
   * For a revision that is not the first: takes from the session what the one before has left but its role, and sets the limits and the
   * search_path. Fails unless nobody else is changing the history, a holder that needs its lease still has it, and what is made without a schema is
   * not made in Drover's. Its commit waits for no disk.
   */
  readonly begin: string
  /** The row that tells that a statement was carried out; `begin` brings one as well. */
  readonly mark: string
  /** The record that a revision was applied or reverted, in the role of the session; fails unless that changes what is recorded. */
  readonly record: (script: Script) => string
}

/** What the rows are called that they bring. */
interface Columns {
  readonly markerColumn: string
  readonly durationColumn: string
  /** What else the rows that tell how far the server came are to tell, as an expression with its name. */
  readonly more?: string | undefined
}

/** Writes the statements for the revisions of one message, all in one direction, as prepared statements of its session. */
export function prepareGroup(
  direction: Direction,
  holder: Holder,
  { lockTimeoutMs, statementTimeoutMs, idleTimeoutMs, searchPath }: Limits & SearchPath,
  { markerColumn, durationColumn, more }: Columns,
): GroupStatements {
  const place = `${quoteLiteral(holder.history)}, ${quoteLiteral(holder.target ?? '')}`
  const holds = isLeased(holder) ? `exists (select from ${storeSchema}.lease where ${leaseOf(holder)})` : 'true'
  const settings = Object.entries({
    synchronous_commit: 'off',
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    ...(idleTimeoutMs !== undefined && { idle_in_transaction_session_timeout: idleTimeoutMs }),
  }).map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
  // The lock comes first, so that nobody changes the history between the look at the lease and the end of the transaction; who
  // has done so in the moment before is found out by the record.
  const isOurs = `case when ${tryHistoryLock(holder)}
  then ${holds} and coalesce(pg_catalog.current_schema() operator(pg_catalog.<>) '${storeSchema}', true)
  else false end`
  const told = more === undefined ? '' : `, ${more}`
  // For each EXECUTE, PostgreSQL copies the whole text that PREPARE was in (ExecuteQuery): here that is the statement alone, and not the message.
  const prepared = [
    `prepare drover_begin as select 1 operator(pg_catalog./) (${isOurs})::pg_catalog.int4 as "${markerColumn}", pg_catalog.pg_advisory_unlock_all(), ${settings.join(', ')}, pg_catalog.set_config('${startSetting}', (extract(epoch from pg_catalog.clock_timestamp()))::pg_catalog.text, true)${told}`,
    `prepare drover_mark as select 1 as "${markerColumn}"${told}`,
    direction === 'up'
      ? `prepare drover_record (pg_catalog.text, pg_catalog.text) as insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values (${place}, $1, $2, ${holder.run}, ${spent}) returning duration_ms as "${durationColumn}"`
      : `prepare drover_record (pg_catalog.text) as with gone as (
  delete from ${storeSchema}.applied where (history, target, revision) operator(pg_catalog.=) (${place}, $1) returning 1
)
select (${spent}) operator(pg_catalog./) (pg_catalog.count(*))::pg_catalog.numeric as "${durationColumn}" from gone`,
  ]
  return {
    prepare: `deallocate all;
do $drover$
begin
${prepared.map((statement) => `  execute ${quoteLiteral(statement)};\n`).join('')}end
$drover$;
`,
    begin: `reset all; discard temp;\nexecute drover_begin;\n${setSearchPath({ searchPath })}`,
    mark: 'execute drover_mark;\n',
    record: ({ revision, checksum }) => {
      const values = direction === 'up' ? [revision.id, checksum] : [revision.id]
      return `${resetRole}execute drover_record (${values.map(quoteLiteral).join(', ')});\n`
    },
  }
}
