import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { ownSchemas } from '../store/tables.ts'

/**
 * Counts the rows of every table, by the name of the table with its schema. A partitioned table is counted by its partitions. Left
 * out is what the user may not read, or would be shown only a part of by row-level security, and Drover's own tables. Reads them all.
 */
export async function countRows(connection: Connection): Promise<ReadonlyMap<string, number>> {
  const tables = await connection.send(`${pinSearchPath}${selectTables}`)
  const counts = new Map<string, number>()
  for (const row of tables) {
    const name = String(row['name'])
    const [found] = await connection.send(`${pinSearchPath}select count(*)::text as rows from only ${name}`)
    counts.set(name, Number(found?.['rows']))
  }
  return counts
}

const selectTables = `
select format('%I.%I', nspname, relname) as name
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r' and relpersistence <> 't'
  and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', ${ownSchemas.map(quoteLiteral).join(', ')})
  and has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select')
  and not row_security_active(pg_class.oid)
order by 1`
