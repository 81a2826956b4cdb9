import { DroverError, type Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { leaseLost } from '../lease/lease.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { endOf, type Run, startOf } from '../store/runs.ts'
import { storeSchema } from '../store/tables.ts'
import { guardStates, holderOf, refuseOthers } from './guard.ts'
import { preamble } from './message.ts'

/** What is changed in the record of what is applied, and what that was decided for. */
export interface StampRun {
  readonly run: Run
  /** Of the lease that this run holds. */
  readonly token: string
  /** The ids that were applied when the stamp was planned. */
  readonly applied: readonly string[]
  /** Ids to forget. */
  readonly forget: readonly string[]
  /** What to record after that, with the checksums of the files as they are now. */
  readonly record: readonly { readonly id: string; readonly checksum: string }[]
}

/**
 * Forgets and records revisions without running anything, together with the record of the run: all of it or nothing.
 * @throws {DroverError} `LOCKED`, `LEASE_LOST` or `STATE_MOVED` when somebody else was at work; nothing was changed then
 */
export async function recordStamp(connection: Connection, stamp: StampRun): Promise<void> {
  try {
    await connection.send(writeStamp(stamp))
  } catch (error) {
    const problem = describeRefusal(sqlstateOf(error))
    throw problem ? new DroverError(problem, { cause: error }) : error
  }
}

/** One message, and so one transaction. Nothing in it takes long, so whoever is in the way is not waited for. */
function writeStamp({ run, token, applied, forget, record }: StampRun): string {
  const plan = [
    ...forget.map((revision) => ({ direction: 'down', revision }) as const),
    ...record.map(({ id }) => ({ direction: 'up', revision: id }) as const),
  ]
  return `${preamble({ lockTimeoutMs: 100, statementTimeoutMs: 0 })}${pinSearchPath}do $drover$
begin
${refuseOthers(holderOf(run, token))}  if ${listApplied(run.history)} <> ${quoteLiteral(applied.toSorted().join(' '))} then
    raise exception 'moved' using errcode = '${guardStates.moved}';
  end if;
end
$drover$;
${[startOf(run, plan), ...removal(run, forget), ...insertion(run, record), endOf(run, 'succeeded')].join(';')}`
}

/** Everything that is applied, in one text: a stamp is decided on all of it. In the order of JavaScript's `toSorted`. */
function listApplied(history: string): string {
  return `(
    select coalesce(string_agg(revision, ' ' order by revision collate "C"), '')
    from ${storeSchema}.applied
    where history = ${quoteLiteral(history)} and target = '' and state = 'applied'
  )`
}

function removal({ history }: Run, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return []
  return [
    `
delete from ${storeSchema}.applied
where history = ${quoteLiteral(history)} and target = '' and revision in (${ids.map(quoteLiteral).join(', ')})`,
  ]
}

function insertion({ id, history }: Run, record: StampRun['record']): readonly string[] {
  if (record.length === 0) return []
  const rows = record.map(
    (one) =>
      `  (${[history, '', one.id, one.checksum].map(quoteLiteral).join(', ')}, clock_timestamp(), ${quoteLiteral(id)}, 0)`,
  )
  return [
    `
insert into ${storeSchema}.applied (history, target, revision, checksum, applied_at, run, duration_ms)
values
${rows.join(',\n')}`,
  ]
}

/** Why a change of the record, which nobody else may make at the same time, was not made. */
export function describeRefusal(sqlstate: string | undefined): Problem | undefined {
  switch (sqlstate) {
    case guardStates.busy:
    case '55P03':
    case '40P01':
      return {
        code: 'LOCKED',
        message: 'nothing was recorded: somebody else is changing what is applied in this database',
        hint: 'run the same command again when that has ended',
      }
    case guardStates.leaseLost:
      return {
        code: 'LEASE_LOST',
        message: `nothing was recorded: ${leaseLost.reason}`,
        hint: leaseLost.hint,
      }
    case guardStates.moved:
      return {
        code: 'STATE_MOVED',
        message: 'nothing was recorded: what is applied has changed since this was planned',
        hint: 'run the same command again: it plans anew',
      }
    default:
      return undefined
  }
}
