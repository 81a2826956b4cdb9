import type { Connection } from '../connect/connection.ts'
import { quoteArray, quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { isStoreMissing, refuseForeignStore, storeSchema, translateForeignStore } from './tables.ts'

/** Whether a database can be connected to. `broken`: dropping it was cut off, and dropping it is all that can be done with it. */
export type DatabaseCondition = 'whole' | 'broken'

/** Finds which of some databases a server has, whichever of its databases the connection leads to. */
export async function findDatabases(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, DatabaseCondition>> {
  return readConditions(connection, `datname = any (${quoteArray(names, 'name')})`)
}

/** Finds the databases of a server whose names begin and end like this. */
export async function findDatabasesLike(
  connection: Connection,
  { begin, end }: { readonly begin: string; readonly end: string },
): Promise<ReadonlyMap<string, DatabaseCondition>> {
  const middle = `length(datname::text) > ${begin.length + end.length}`
  const fits = `starts_with(datname::text, ${quoteLiteral(begin)}) and right(datname::text, ${end.length}) = ${quoteLiteral(end)}`
  return readConditions(connection, `${middle} and ${fits} and not datistemplate`)
}

async function readConditions(
  connection: Connection,
  condition: string,
): Promise<ReadonlyMap<string, DatabaseCondition>> {
  const rows = await connection.send(`${pinSearchPath}select datname::text as name, datconnlimit = -2 as broken
from pg_database
where ${condition}
order by datname::text collate "C"`)
  return new Map(rows.map((row) => [String(row['name']), row['broken'] === true ? 'broken' : 'whole']))
}

/** How many bytes databases take; those that the user may not look into are not in it. */
export async function readDatabaseSizes(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows =
    await connection.send(`${pinSearchPath}select datname::text as name, pg_database_size(oid)::float8 as bytes
from pg_database
where datname = any (${quoteArray(names, 'name')})
  and (has_database_privilege(oid, 'connect') or pg_has_role('pg_read_all_stats', 'usage'))`)
  return new Map(rows.map((row) => [String(row['name']), Number(row['bytes'])]))
}

/**
 * The histories of which anything was ever run in a database.
 * @throws {DroverError} `PRIVILEGE_MISSING` where somebody else has made Drover's schema or a table in it
 */
export async function listHistories(connection: Connection): Promise<readonly string[]> {
  try {
    const rows = await connection.send(`${pinSearchPath}do $drover$
${refuseForeignStore({ mayBeMissing: false })}
$drover$;
select history from ${storeSchema}.run union select history from ${storeSchema}.applied order by 1`)
    return rows.map((row) => String(row['history']))
  } catch (error) {
    if (!isStoreMissing(error)) throw translateForeignStore(error)
    return []
  }
}
