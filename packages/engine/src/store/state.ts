import type { AppliedRevision, HalfDone } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { selectTime } from '../sql/time.ts'
import { parseProgress, readLeftover, selectProgress } from './progress.ts'
import { isStoreMissing, refuseForeignStore, storeSchema, translateForeignStore } from './tables.ts'

/** What one database says of itself and of a history. */
export interface DatabaseState {
  readonly applied: readonly AppliedRevision[]
  /** Tells one physical database from another: two URLs that lead to the same one have the same. */
  readonly identity: string
  /** Whether Drover's tables are there. */
  readonly initialised: boolean
  /** The revision that was begun and is not done, if there is one. It is not among the applied ones, whatever its direction. */
  readonly halfDone?: HalfDone
}

/**
 * Reads what is applied, in one message; where a revision is half done, another one asks the catalogue what it has left. A
 * database that Drover has never touched has had nothing.
 * @throws {DroverError} `PRIVILEGE_MISSING` where somebody else has made Drover's schema or a table in it
 */
export async function readState(connection: Connection, history: string): Promise<DatabaseState> {
  try {
    // In one text, because the driver takes longer over ten thousand rows than the server.
    const [row] = await connection.send(`${pinSearchPath}do $drover$
${refuseForeignStore({ mayBeMissing: false })}
$drover$;
select (${selectIdentity}) as identity, applied.*, exists (
  select from ${storeSchema}.lease where history = ${quoteLiteral(history)} and expires_at > clock_timestamp()
) as held
from (
  select
    string_agg(concat_ws(e'\\t', revision, checksum, ${selectTime('applied_at')}), e'\\n') filter (where state = 'applied') as done,
    ${selectProgress} as progress
  from ${storeSchema}.applied
  where history = ${quoteLiteral(history)} and target = ''
) as applied`)
    const applied = typeof row?.['done'] === 'string' ? row['done'].split('\n') : []
    const progress = parseProgress(row?.['progress'])
    const left = progress && (await readLeftover(connection, history, progress))
    return {
      applied: applied.map(toApplied),
      identity: String(row?.['identity']),
      initialised: true,
      ...(progress && { halfDone: { ...progress.halfDone, ...(left && { left }), held: row?.['held'] === true } }),
    }
  } catch (error) {
    if (!isStoreMissing(error)) throw translateForeignStore(error)
    const [row] = await connection.send(`${pinSearchPath}${selectIdentity}`)
    return { applied: [], identity: String(row?.['text']), initialised: false }
  }
}

// A server that was started at another microsecond is another server; the oid tells its databases apart.
const selectIdentity = `
  select extract(epoch from pg_postmaster_start_time()) || '/' || oid as text
  from pg_database
  where datname = current_database()`

function toApplied(line: string): AppliedRevision {
  const [id, checksum, appliedAt] = line.split('\t')
  return { id: id!, checksum: checksum!, appliedAt: appliedAt! }
}
