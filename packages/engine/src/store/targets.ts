import { DroverError } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { quoteArray, quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { guardStates, plainRefusals, refuseBusy } from '../run/guard.ts'
import { isOfPlace } from './place.ts'
import { type HistoryState, selectHad, selectHeld, stateOf } from './state.ts'
import { isStoreMissing, refuseForeignStore, storeSchema, translateForeignStore } from './tables.ts'

/** Targets that have had the same revisions, with the same checksums. */
export interface TargetGroup {
  /** The same text for the same revisions, and the empty one where there are none. What is half done is the same for no two. */
  readonly key: string
  /** What one of them had had at the moment at which they were sorted: by the next one, others may have been at it. */
  readonly state: HistoryState
  /** In the order in which they were asked for. */
  readonly targets: readonly string[]
}

/**
 * Sorts targets by what they have had, in one query, whatever their number: the server makes one number of the revisions of each.
 * Ten thousand targets with ten revisions each take some tens of milliseconds.
 * @param names names of schemas, each once
 * @throws {DroverError} `PRIVILEGE_MISSING` where somebody else has made Drover's schema or a table in it
 */
export async function groupTargets(
  connection: Connection,
  history: string,
  names: readonly string[],
): Promise<readonly TargetGroup[]> {
  if (names.length === 0) return []
  const list = quoteArray(names, 'text')
  const few = names.length > fewTargets ? '' : ` and target = any (${list})`
  try {
    const rows = await connection.send(`${pinSearchPath}do $drover$
${refuseForeignStore({ mayBeMissing: false })}
$drover$;
select sorted.*, (${selectHeld(history)}) as held, had.*
from (
select coalesce(revisions || '/' || digest, '') as key, string_agg(place::text, ',') as places, min(target collate "C") as example
from unnest(${list}) with ordinality as wanted (target, place)
left join (
  select target, count(*) as revisions, bit_xor(hashtextextended(checksum, hashtextextended(revision, ${seed}))) as digest
  from ${storeSchema}.applied
  where history = ${quoteLiteral(history)} and target <> ''${few}
  group by target
) as present using (target)
group by revisions, digest
) as sorted
cross join lateral (
  select ${selectHad} from ${storeSchema}.applied where history = ${quoteLiteral(history)} and target = sorted.example
) as had`)
    const groups: TargetGroup[] = []
    for (const row of rows) {
      // Numbers are put in order here: the server would take as long over that as over all else.
      const places = Float64Array.from(String(row['places']).split(','), Number).toSorted()
      groups.push({
        key: String(row['key']),
        state: await stateOf(connection, { history, target: String(row['example']) }, row),
        targets: Array.from(places, (place) => names[place - 1]!),
      })
    }
    return groups
  } catch (error) {
    if (!isStoreMissing(error)) throw translateForeignStore(error)
    return [{ key: '', state: { applied: [] }, targets: names }]
  }
}

/** What is half done is hashed with the name of the target, so that no other is in the same state. */
const seed = `case state when 'applied' then 0 else hashtextextended(target, 1) end`

/** Up to so many targets are looked up one by one; above, reading all of them is faster. */
const fewTargets = 200

/** The targets of a history that anything is recorded of, but for those of some names: nobody else would find them. */
export async function listOtherTargets(
  connection: Connection,
  history: string,
  names: readonly string[],
): Promise<readonly string[]> {
  try {
    const rows = await connection.send(`${pinSearchPath}select distinct target
from ${storeSchema}.applied
where history = ${quoteLiteral(history)} and target <> ''
  and target <> all (${quoteArray(names, 'text')})
order by 1`)
    return rows.map((row) => String(row['target']))
  } catch (error) {
    if (isStoreMissing(error)) return []
    throw error
  }
}

/** How many pages the tables of schemas had when they were last looked at by the server, which costs nothing to ask. */
export async function readSchemaSizes(
  connection: Connection,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows =
    await connection.send(`${pinSearchPath}select nspname::text as name, coalesce(sum(relpages), 0)::float8 as pages
from pg_namespace
left join pg_class on relnamespace = pg_namespace.oid
where nspname = any (${quoteArray(schemas, 'name')})
group by 1`)
  return new Map(rows.map((row) => [String(row['name']), Number(row['pages'])]))
}

/** The slugs of the tenants that the last run of a history says did not get where they were to be. */
export async function readLastFailed(connection: Connection, history: string): Promise<readonly string[]> {
  try {
    const rows = await connection.send(`${pinSearchPath}select slug
from (
  select error
  from ${storeSchema}.run
  where history = ${quoteLiteral(history)} and command not like 'tenant create%' and command not like 'tenant drop%'
  order by started_at desc
  limit 1
) as last
cross join jsonb_array_elements_text(case when jsonb_typeof(error -> 'tenants') = 'array' then error -> 'tenants' else '[]' end) as slug
order by slug`)
    return rows.map((row) => String(row['slug']))
  } catch (error) {
    if (isStoreMissing(error)) return []
    throw error
  }
}

/** Counts the rows of the tables of a schema; `undefined` where there is no such schema. */
export async function countTenantRows(
  connection: Connection,
  schema: string,
): Promise<readonly { readonly name: string; readonly rows: number }[] | undefined> {
  const rows = await connection.send(`${pinSearchPath}select relname::text as name
from pg_namespace
left join pg_class on relnamespace = pg_namespace.oid and relkind in ('r', 'p')
where nspname = ${quoteLiteral(schema)}
order by 1`)
  if (rows.length === 0) return undefined
  const names = rows.flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
  if (names.length === 0) return []
  const counts = names.map(
    (name) =>
      `select ${quoteLiteral(name)} as name, count(*)::float8 as rows from ${quoteIdentifier(schema)}.${quoteIdentifier(name)}`,
  )
  const counted = await connection.send(`${pinSearchPath}${counts.join('\nunion all\n')}`)
  return counted.map((row) => ({ name: String(row['name']), rows: Number(row['rows']) }))
}

/**
 * Refuses a target to which a revision is being applied.
 * @throws {DroverError} `LOCKED`
 */
export async function refuseBusyTarget(connection: Connection, history: string, schema: string): Promise<void> {
  await sendUnlessBusy(connection, schema, `do $drover$\nbegin\n${refuseApplying(history, schema)}end\n$drover$`)
}

/**
 * Drops a schema that a history was applied to, with what is recorded of it, and the role that sees it alone. In one transaction, under the
 * lock that keeps a revision from being applied to it meanwhile.
 * @throws {DroverError} `LOCKED` when a revision is being applied to it; and what the server says
 */
export async function dropTarget(
  connection: Connection,
  history: string,
  schema: string,
  role: string | undefined,
): Promise<void> {
  const own = role === undefined ? '' : quoteIdentifier(role)
  await sendUnlessBusy(
    connection,
    schema,
    `do $drover$
begin
${refuseApplying(history, schema)}  if to_regclass('${storeSchema}.applied') is not null then
    delete from ${storeSchema}.applied where ${isOfPlace({ history, target: schema })};
  end if;
end
$drover$;
drop schema if exists ${quoteIdentifier(schema)} cascade;
${
  role === undefined
    ? ''
    : `do $drover$
begin
  if exists (select from pg_roles where rolname = ${quoteLiteral(role)}) then
    -- Whoever has made a role without being a superuser may not act as it yet.
    if not pg_has_role(current_user, ${quoteLiteral(role)}, 'usage') then
      grant ${own} to current_user;
    end if;
    drop owned by ${own};
    drop role ${own};
  end if;
end
$drover$;
`
}`,
  )
}

function refuseApplying(history: string, schema: string): string {
  return refuseBusy({ history, target: schema }, plainRefusals)
}

async function sendUnlessBusy(connection: Connection, schema: string, sql: string): Promise<void> {
  try {
    await connection.send(`${pinSearchPath}${sql}`)
  } catch (error) {
    if (sqlstateOf(error) !== guardStates.busy) throw error
    throw new DroverError(
      {
        code: 'LOCKED',
        message: `a revision is being applied to ${schema}`,
        hint: 'run the same command again when that is done',
      },
      { cause: error },
    )
  }
}
