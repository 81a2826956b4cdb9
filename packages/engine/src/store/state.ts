import type { AppliedRevision } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { selectTime } from '../sql/time.ts'
import { isStoreMissing, storeSchema } from './tables.ts'

/** What one database says of itself and of a history. */
export interface DatabaseState {
  readonly applied: readonly AppliedRevision[]
  /** Tells one physical database from another: two URLs that lead to the same one have the same. */
  readonly identity: string
  /** Whether Drover's tables are there. */
  readonly initialised: boolean
}

/** Reads what is applied, in one message. A database that Drover has never touched has had nothing. */
export async function readState(connection: Connection, history: string): Promise<DatabaseState> {
  try {
    const rows = await connection.send(`
select identity.text as identity, applied.revision, applied.checksum, ${selectTime('applied.applied_at')} as applied_at
from (${selectIdentity}) as identity
left join ${storeSchema}.applied on applied.history = ${quoteLiteral(history)} and applied.target = '' and applied.state = 'applied'`)
    return {
      applied: rows.filter((row) => row['revision'] !== null).map(toApplied),
      identity: String(rows[0]?.['identity']),
      initialised: true,
    }
  } catch (error) {
    if (!isStoreMissing(error)) throw error
    const [row] = await connection.send(selectIdentity)
    return { applied: [], identity: String(row?.['text']), initialised: false }
  }
}

// A server that was started at another microsecond is another server; the oid tells its databases apart.
const selectIdentity = `
  select extract(epoch from pg_postmaster_start_time()) || '/' || oid as text
  from pg_database
  where datname = current_database()`

function toApplied(row: Row): AppliedRevision {
  return {
    id: String(row['revision']),
    checksum: String(row['checksum']),
    appliedAt: String(row['applied_at']),
  }
}
