import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'

/** A table as the catalogue names it: without quotes. */
interface TableName {
  readonly schema: string
  readonly table: string
}

/**
 * Finds out which of these tables a database does not have, with one query. A view counts as a table: whoever reads from it
 * cannot tell. It does not matter whether we may read it.
 * @returns the missing ones, in their order
 */
export async function findMissingTables<Table extends TableName>(
  connection: Connection,
  tables: readonly Table[],
): Promise<readonly Table[]> {
  if (tables.length === 0) return []
  const rows = tables.map(({ schema, table }, at) => `(${at}, ${quoteLiteral(schema)}, ${quoteLiteral(table)})`)
  const missing = await connection.send(`${pinSearchPath}select wanted.place
from (values ${rows.join(', ')}) as wanted (place, schema, name)
where not exists (
  select from pg_class
  join pg_namespace on pg_namespace.oid = pg_class.relnamespace
  where nspname = wanted.schema and relname = wanted.name
    -- Ordinary and partitioned tables, foreign ones, views and materialized views: no indexes, sequences or types.
    and relkind in ('r', 'p', 'f', 'v', 'm')
)
order by wanted.place`)
  return missing.map(({ place }) => tables[Number(place)]!)
}
