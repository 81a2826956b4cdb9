import * as v from 'valibot'

import type { Connection } from '../connect/connection.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { storeSchema } from '../store/tables.ts'
import { isStronger, type LockMode, lockModes } from './lock-modes.ts'

/** The strongest lock that was taken on something that was there before. */
export interface TakenLock {
  /** With its schema, quoted where SQL wants it so: `public.users`. */
  readonly relation: string
  readonly kind: 'table' | 'view' | 'materialized view' | 'sequence' | 'foreign table'
  readonly mode: LockMode
  /** From the beginning of the statement that took it to the end of its transaction, in milliseconds. Missing where nobody knows. */
  readonly heldMs?: number
}

/** What there is to lock, by its oid. Indexes and what PostgreSQL keeps apart from a table count as that table. */
export type Relations = ReadonlyMap<number, Pick<TakenLock, 'relation' | 'kind'>>

/** The locks of a session at one moment: the strongest of each relation. */
export type Locks = ReadonlyMap<number, LockMode>

/** Reads what there is to lock before a revision runs: what it makes itself is in nobody's way. */
export async function readRelations(connection: Connection): Promise<Relations> {
  const relations = new Map<number, Pick<TakenLock, 'relation' | 'kind'>>()
  const rows = await connection.send(`${pinSearchPath}${selectRelations}`)
  for (const row of rows) {
    const { oid, relation, kind } = v.parse(relationSchema, row)
    relations.set(Number(oid), { relation, kind })
  }
  return relations
}

const relationSchema = v.object({
  oid: v.union([v.number(), v.string()]),
  relation: v.string(),
  kind: v.picklist(['table', 'view', 'materialized view', 'sequence', 'foreign table']),
})

// Whoever reads or writes a table locks its indexes as well, so a lock on one of them is in the way like one on the table.
// What Drover locks for the record is left out. A lock on the queue of a fleet is the revision's own, and in the way of its workers.
const selectRelations = `
with parts as (
  select oid, oid as owner from pg_class where relkind in ('r', 'p', 'v', 'm', 'S', 'f')
  union all
  select indexrelid, indrelid from pg_index
  union all
  select reltoastrelid, oid from pg_class where reltoastrelid <> 0
  union all
  select indexrelid, pg_class.oid from pg_class join pg_index on indrelid = reltoastrelid
)
select
  parts.oid::bigint as oid,
  format('%I.%I', nspname, relname) as relation,
  case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end as kind
from parts
join pg_class on pg_class.oid = owner
join pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and relpersistence <> 't'
  and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', '${storeSchema}')`

/** An expression for the locks of the session itself, as text. Means the same whatever the search_path. */
export const selectOwnLocks = `(select (pg_catalog.json_agg(pg_catalog.json_build_array((relation)::pg_catalog.int8, mode)))::pg_catalog.text
from pg_catalog.pg_locks
where pid operator(pg_catalog.=) pg_catalog.pg_backend_pid() and locktype operator(pg_catalog.=) 'relation' and granted)`

/** The locks of all other clients in the database, in the same form. Wants the search_path pinned. */
export const selectLocksOfOthers = `
select json_agg(json_build_array(relation::bigint, mode))::text as locks
from pg_locks
where locktype = 'relation' and granted and pid <> pg_backend_pid()
  and database = (select oid from pg_database where datname = current_database())
  and pid in (select pid from pg_stat_activity where backend_type = 'client backend')`

/** Reads what those two select. */
export function parseLocks(text: unknown): Locks {
  const locks = new Map<number, LockMode>()
  if (typeof text !== 'string') return locks
  for (const [oid, mode] of v.parse(locksSchema, JSON.parse(text))) {
    // Whoever checks a predicate at SERIALIZABLE has a lock that is in nobody's way.
    const known = lockModes.find((one) => one === mode)
    if (known && isStronger(known, locks.get(oid))) locks.set(oid, known)
  }
  return locks
}

const locksSchema = v.array(v.tuple([v.number(), v.string()]))

/** The locks that are there after something and were not, or were weaker, before it; one for each relation, in the order of their names. */
export function locksTaken(relations: Relations, before: Locks, after: Locks, heldMs?: number): readonly TakenLock[] {
  const held = strongestByName(relations, before)
  return [...strongestByName(relations, after).values()]
    .filter(({ relation, mode }) => isStronger(mode, held.get(relation)?.mode))
    .map((lock) => (heldMs === undefined ? lock : { ...lock, heldMs }))
    .toSorted((a, b) => (a.relation < b.relation ? -1 : 1))
}

function strongestByName(relations: Relations, locks: Locks): ReadonlyMap<string, TakenLock> {
  const strongest = new Map<string, TakenLock>()
  for (const [oid, mode] of locks) {
    const found = relations.get(oid)
    if (found && isStronger(mode, strongest.get(found.relation)?.mode)) {
      strongest.set(found.relation, { ...found, mode })
    }
  }
  return strongest
}
