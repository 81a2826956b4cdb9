import type { AppliedRevision, HalfDone } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { parseProgress, readLeftover, selectProgress } from './progress.ts'
import { isOfPlace, type Place } from './place.ts'
import { isStoreMissing, refuseForeignStore, storeSchema, translateForeignStore } from './tables.ts'

/** What a place has had of a history. */
export interface HistoryState {
  readonly applied: readonly AppliedRevision[]
  /** The revision that was begun and is not done, if there is one. It is not among the applied ones, whatever its direction. */
  readonly halfDone?: HalfDone
}

/** What one database says of itself and of a history. */
export interface DatabaseState extends HistoryState {
  /** Tells one physical database from another: two URLs that lead to the same one have the same. */
  readonly identity: string
  /** Whether Drover's tables are there. */
  readonly initialised: boolean
  /** What is applied as one checksum, see `fingerprintOf`. Only where it was asked for, and anything is applied. */
  readonly fingerprint?: string
}

/** What to read of a history. */
export interface StateOptions {
  /** The target that is meant. Default: the database itself. */
  readonly target?: string
  /** Whether the fingerprint is wanted. Default `false`. */
  readonly withFingerprint?: boolean
}

/**
 * Reads what is applied, in one message; where a revision is half done, another one asks the catalogue what it has left. A
 * database that Drover has never touched has had nothing.
 * @throws {DroverError} `PRIVILEGE_MISSING` where somebody else has made Drover's schema or a table in it
 */
export async function readState(
  connection: Connection,
  history: string,
  { target = '', withFingerprint = false }: StateOptions = {},
): Promise<DatabaseState> {
  const place: Place = { history, target }
  const wanted = withFingerprint ? `${selectHad}, ${selectFingerprint} as fingerprint` : selectHad
  try {
    const [row] = await connection.send(`${pinSearchPath}do $drover$
${refuseForeignStore({ mayBeMissing: false })}
$drover$;
select (${selectIdentity}) as identity, (${selectHeld(history)}) as held, had.*
from (select ${wanted} from ${storeSchema}.applied where ${isOfPlace(place)}) as had`)
    const { identity, fingerprint } = row!
    // A copy of what was had would take it apart.
    return Object.assign(await stateOf(connection, place, row!), {
      identity: String(identity),
      initialised: true,
      ...(typeof fingerprint === 'string' && { fingerprint }),
    })
  } catch (error) {
    if (!isStoreMissing(error)) throw translateForeignStore(error)
    const [row] = await connection.send(`${pinSearchPath}${selectIdentity}`)
    return { applied: [], identity: String(row?.['text']), initialised: false }
  }
}

/**
 * What a place has had, as aggregates over its rows of `applied`: in one text, because the driver takes longer over ten thousand rows than
 * the server. Times are milliseconds since 1970, as writing them out would be most of the server's part.
 */
export const selectHad = `
  string_agg(
    revision || e'\\t' || checksum || e'\\t' || floor(date_part('epoch', applied_at) * 1000)::bigint, e'\\n'
  ) filter (where state = 'applied') as done,
  ${selectProgress} as progress`

/** `fingerprintOf` as an aggregate over rows of `applied`. Wants the search_path pinned. */
const selectFingerprint = `
  encode(sha256(convert_to(
    string_agg(revision || e'\\t' || split_part(checksum, '/', 1), e'\\n' order by revision collate "C") filter (where state = 'applied'),
    'UTF8'
  )), 'hex')`

/** Whether somebody has the lease of a history, as SQL. */
export function selectHeld(history: string): string {
  return `exists (
  select from ${storeSchema}.lease where history = ${quoteLiteral(history)} and expires_at > clock_timestamp()
)`
}

/** Reads what a place has had from a row with `selectHad` and, as `held`, `selectHeld`; where a revision is half done, asks what it has left. */
export async function stateOf(connection: Connection, place: Place, row: Row): Promise<HistoryState> {
  const { done } = row
  let applied: readonly AppliedRevision[] | undefined
  const progress = parseProgress(row['progress'])
  const left = progress && (await readLeftover(connection, place, progress))
  return {
    // Taken apart when it is asked for: nobody asks who only compares the fingerprint.
    get applied() {
      return (applied ??= typeof done === 'string' ? done.split('\n').map(toApplied) : [])
    },
    ...(progress && { halfDone: { ...progress.halfDone, ...(left && { left }), held: row['held'] === true } }),
  }
}

// A server that was started at another microsecond is another server; the oid tells its databases apart.
const selectIdentity = `
  select extract(epoch from pg_postmaster_start_time()) || '/' || oid as text
  from pg_database
  where datname = current_database()`

function toApplied(line: string): AppliedRevision {
  const [id, checksum, ms] = line.split('\t')
  return { id: id!, checksum: checksum!, appliedAt: new Date(Number(ms)).toISOString() }
}
