import { type Connection, quoteIdentifier, quoteLiteral } from '@drover/engine'
import * as v from 'valibot'

import { tableName } from './candidates.ts'
import { pinSession, selectTables } from './read-tables.ts'
import { withoutForcedSecurity } from './row-security.ts'

/** What the rows of a database hold, by table and column, fit for comparing. */
export interface Contents {
  /** By `schema.table` (not quoted, joined by a NUL character): how many rows, and what each column holds. */
  readonly tables: ReadonlyMap<string, TableContents>
}

/** What the rows of one table hold. */
export interface TableContents {
  readonly rows: number
  /** By column: its type, how many values are not null, and a hash of the values as text, whatever the order of rows. */
  readonly columns: ReadonlyMap<string, { readonly type: string; readonly filled: number; readonly hash: string }>
}

/** Reads what the rows of a database hold, those of partitions under their parent. For databases with a few rows. */
export function readContents(connection: Connection): Promise<Contents> {
  return withoutForcedSecurity(connection, async () => {
    const [listed] = await connection.send(`${pinSession};\n${selectColumns}`)
    const tables = v.parse(columnsOfTables, JSON.parse(String(listed?.['tables'])))
    if (tables.length === 0) return { tables: new Map() }
    const rows = await connection.send(
      `${pinSession};\n${tables.map((table, place) => writeSummary(table, place)).join('\nunion all\n')}`,
    )
    const found = new Map(
      rows.map((row) => [Number(row['place']), v.parse(summary, JSON.parse(String(row['summary'])))]),
    )
    return {
      tables: new Map(
        tables.map((table, place) => {
          const { rows: count, filled, hashes } = found.get(place) ?? { rows: 0, filled: [], hashes: [] }
          const columns = table.columns.map(
            ({ name, type }, index) => [name, { type, filled: filled[index] ?? 0, hash: hashes[index] ?? '' }] as const,
          )
          return [`${table.schema}\0${table.name}`, { rows: count, columns: new Map(columns) }]
        }),
      ),
    }
  })
}

const columnsOfTables = v.array(
  v.object({
    schema: v.string(),
    name: v.string(),
    partitioned: v.boolean(),
    columns: v.array(v.object({ name: v.string(), type: v.string() })),
  }),
)

const summary = v.object({ rows: v.number(), filled: v.array(v.number()), hashes: v.array(v.string()) })

const selectColumns = `
select coalesce(jsonb_agg(jsonb_build_object(
  'schema', schema,
  'name', name,
  'partitioned', partitioned,
  'columns', coalesce((
    select jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) order by attnum)
    from pg_attribute
    where attrelid = tables.oid and attnum > 0 and not attisdropped
  ), '[]')
) order by schema, name), '[]')::text as tables
from (${selectTables}) as tables`

/** Hashes of hashes, in their order: neither the order of rows nor a separator within a value makes a difference. */
function writeSummary(table: v.InferOutput<typeof columnsOfTables>[number], place: number): string {
  const names = table.columns.map(({ name }) => `rows.${quoteIdentifier(name)}`)
  const filled = names.map((name) => `count(${name})`)
  const hashes = names.map(
    (name) =>
      `coalesce(md5(string_agg(md5(${name}::text), ${quoteLiteral(',')} order by md5(${name}::text) collate "C")), '')`,
  )
  return `select ${place} as place, jsonb_build_object('rows', count(*), 'filled', ${writeList(filled, 'bigint')}, 'hashes', ${writeList(hashes, 'text')})::text as summary from ${table.partitioned ? '' : 'only '}${tableName(table)} as rows`
}

function writeList(items: readonly string[], type: string): string {
  return `to_jsonb(array[${items.join(', ')}]::${type}[])`
}
