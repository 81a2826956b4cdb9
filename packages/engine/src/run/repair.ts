import { DroverError } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { endOf, type Run, startOf } from '../store/runs.ts'
import { storeSchema } from '../store/tables.ts'
import { guardStates, holderOf, refuseOthers } from './guard.ts'
import { describeRefusal } from './stamp.ts'

/** One applied revision whose file is to be remembered as it is now. */
export interface ChecksumRepair {
  readonly id: string
  /** What the database remembers. */
  readonly from: string
  /** What the file says. */
  readonly to: string
}

/** The checksums that are replaced in one database. */
export interface RepairRun {
  readonly run: Run
  /** Of the lease that this run holds. */
  readonly token: string
  /** At least one. */
  readonly repairs: readonly ChecksumRepair[]
}

/**
 * Replaces what a database remembers of the files of applied revisions, together with the record of the run: all of it or
 * nothing. When they were applied, and by which run, stays as it is.
 * @throws {DroverError} `LOCKED`, `LEASE_LOST` or `STATE_MOVED` when somebody else was at work; nothing was changed then
 */
export async function recordRepair(connection: Connection, repair: RepairRun): Promise<void> {
  try {
    await connection.send(writeRepair(repair))
  } catch (error) {
    const problem = describeRefusal(sqlstateOf(error))
    throw problem ? new DroverError(problem, { cause: error }) : error
  }
}

function writeRepair({ run, token, repairs }: RepairRun): string {
  const history = quoteLiteral(run.history)
  const values = repairs.map(({ id, from, to }) => `(${[id, from, to].map(quoteLiteral).join(', ')})`)
  const planned = `(values ${values.join(', ')}) as planned (revision, before, now)`
  const match = `applied.history = ${history} and applied.target = '' and (applied.revision, applied.checksum) = (planned.revision, planned.before)`
  return `${pinSearchPath}set local lock_timeout = 100; set local statement_timeout = 0;
do $drover$
begin
${refuseOthers(holderOf(run, token))}  if (select count(*) from ${planned} join ${storeSchema}.applied on ${match}) <> ${repairs.length} then
    raise exception 'moved' using errcode = '${guardStates.moved}';
  end if;
end
$drover$;
${startOf(run, [])};
update ${storeSchema}.applied
set checksum = planned.now
from ${planned}
where ${match};
${endOf(run, 'succeeded')}`
}
