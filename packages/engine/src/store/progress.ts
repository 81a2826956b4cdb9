import type { HalfDone, Leftover } from '@drover/history'
import * as v from 'valibot'

import type { Connection } from '../connect/connection.ts'
import { selectHistoryLockHolder } from '../lease/history-lock.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { findConcurrentIndex } from '../source/outside-transaction.ts'
import { isOfPlace, leadOf, type Place } from './place.ts'
import { storeSchema } from './tables.ts'

/** How far a revision that is more than one transaction has come, as its row remembers it. */
export interface Progress {
  readonly halfDone: HalfDone
  /** The run that is at it. */
  readonly run: string
  /** Of the statements that are done, as `checksumOfStatements` makes it. */
  readonly checksum: string
  /** The oid of the table that the statement makes an index on, when it had begun. */
  readonly table?: number
  /** The oid of the index of that name that was there when the statement began. */
  readonly before?: number
}

const progressSchema = v.object({
  revision: v.string(),
  direction: v.picklist(['up', 'down']),
  done: v.number(),
  total: v.number(),
  statement: v.exactOptional(v.string()),
  run: v.string(),
  checksum: v.string(),
  table: v.nullish(v.number()),
  before: v.nullish(v.number()),
  own: v.exactOptional(v.literal(true)),
  batch: v.exactOptional(
    v.object({
      rows: v.number(),
      elapsedMs: v.number(),
      key: v.exactOptional(v.string()),
      after: v.exactOptional(v.string()),
      end: v.exactOptional(v.string()),
    }),
  ),
})

/** Reads how far the revision has come that is half done, if there is one. */
export async function readProgress(connection: Connection, place: Place): Promise<Progress | undefined> {
  const [row] = await connection.send(`${pinSearchPath}select ${selectProgress} as progress
from ${storeSchema}.applied
where ${isOfPlace(place)}`)
  return parseProgress(row?.['progress'])
}

/** An aggregate over rows of `applied`. Tables of an earlier version have no such column, and no such rows. */
export const selectProgress = `min((to_jsonb(applied) -> 'progress')::text) filter (where state = 'running')`

/** Reads the progress of a row from its JSON; `undefined` where there is none. */
export function parseProgress(json: unknown): Progress | undefined {
  if (typeof json !== 'string') return undefined
  const { revision, direction, done, total, statement, run, checksum, table, before, own, batch } = v.parse(
    progressSchema,
    JSON.parse(json),
  )
  return {
    halfDone: {
      id: revision,
      direction,
      done,
      total,
      ...(statement !== undefined && { statement }),
      ...(batch && { batch }),
      ...(own && { own }),
    },
    run,
    checksum,
    ...(typeof table === 'number' && { table }),
    ...(typeof before === 'number' && { before }),
  }
}

/**
 * Asks the catalogue what an unfinished statement has left. Only what must be of that statement counts: an index that was
 * there before it began is not.
 */
export async function readLeftover(
  connection: Connection,
  place: Place,
  progress: Progress,
): Promise<Leftover | undefined> {
  const { statement, own } = progress.halfDone
  if (own) {
    // Its session holds that for as long as it lasts.
    const [row] = await connection.send(`${pinSearchPath}select ${selectHistoryLockHolder(place)} as pid`)
    return typeof row?.['pid'] === 'number' ? { kind: 'working', pid: row['pid'] } : undefined
  }
  if (statement === undefined) return undefined
  const index = findConcurrentIndex(statement)
  const [row] = await connection.send(
    `${pinSearchPath}select ${selectWorking(`${leadOf(place)}${statement}`)} as pid, ${selectIndex(progress)} as index`,
  )
  if (typeof row?.['pid'] === 'number') return { kind: 'working', pid: row['pid'] }
  const found: unknown = row?.['index']
  if (index?.verb === 'create' && typeof found === 'string') {
    // `+` or `-` for valid or not, and the name.
    return found.startsWith('+') ? { kind: 'carried-out' } : { kind: 'invalid-index', name: found.slice(1) }
  }
  const isGone = index?.verb === 'drop' && progress.before !== undefined && found === null
  return isGone ? { kind: 'carried-out' } : undefined
}

/**
 * An expression for the process id of a session that is still at a statement, whose text is there only as far as the server keeps it.
 * Wants the search_path pinned.
 */
export function selectWorking(statement: string): string {
  const text = quoteLiteral(statement)
  return `(
  select min(pid)
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and (
    -- psql sends the semicolon along.
    rtrim(query, ';') = ${text} or (
      starts_with(${text}, query)
      and octet_length(query) >= (select setting::int - 8 from pg_settings where name = 'track_activity_query_size')
    )
  )
)`
}

function selectIndex({ halfDone: { statement = '' }, table, before = 0 }: Progress): string {
  const index = findConcurrentIndex(statement)
  if (!index) return 'null'
  const which =
    index.verb === 'create'
      ? `pg_index.indrelid = ${table ?? 0} and relname = ${quoteLiteral(index.name)}::name and pg_class.oid <> ${before}`
      : `pg_class.oid = ${before}`
  return `(
  select case when indisvalid then '+' else '-' end || format('%I.%I', nspname, relname)
  from pg_index
  join pg_class on pg_class.oid = indexrelid
  join pg_namespace on pg_namespace.oid = relnamespace
  where ${which}
)`
}

/** How `table` and `before` are found out of a statement that is about to begin. */
export interface BeforeStatement {
  /** A variable of PL/pgSQL, because the names in a statement mean what the search_path of its session makes of them. */
  readonly declaration: string
  /** SQL for both, as JSON. Sees the variable. */
  readonly select: string
}

/** Writes what finds out `table` and `before` of a statement that is about to begin. */
export function selectBefore(statement: string): BeforeStatement {
  const index = findConcurrentIndex(statement)
  if (!index) return { declaration: '', select: `'{}'::jsonb` }
  const named = index.verb === 'drop' ? index.name : index.table
  const declaration = `  drover_named pg_catalog.oid := pg_catalog.to_regclass(${quoteLiteral(named)});\n`
  if (index.verb === 'drop') return { declaration, select: `jsonb_build_object('before', drover_named::bigint)` }
  return {
    declaration,
    select: `jsonb_build_object('table', drover_named::bigint, 'before', (
    select indexrelid::bigint
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    where indrelid = drover_named and relname = ${quoteLiteral(index.name)}::name
  ))`,
  }
}
