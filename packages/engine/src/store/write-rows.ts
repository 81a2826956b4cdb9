import { sortTopologically } from '@drover/history'

import type { ConnectionUrl } from '../connect/connection-url.ts'
import { type Connection, openConnection } from '../connect/connection.ts'
import { pinFormats } from '../sql/formats.ts'
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { ownSchemas } from './tables.ts'

/** How many rows are in memory at the same time, and in one statement. */
const fetchSize = 500

/** The server takes 100 arguments of a function, one of which is the template. */
const mostArguments = 99

interface Table {
  /** With its schema, quoted. */
  readonly place: string
  /** As it is to be found when the rows are written again, quoted. */
  readonly name: string
  readonly columns: readonly string[]
  /** Whether its rows are in its partitions. */
  readonly isPartitioned: boolean
  /** Whether its rows refer to each other, and so have to be there all at once. */
  readonly isOfItself: boolean
}

/**
 * Reads the rows of all tables of a schema as statements that write them again into tables of the same names, which are looked for in the
 * search_path: those that others refer to come first, and where sequences are comes last. All of it is of one moment. Values are written
 * as their types write them, and read as their types read them. Generated columns are left out.
 * @param schema default: all schemas of the database but the system's and Drover's; each name has its schema with it then
 * @throws what the server says; it refuses where a policy would hide rows from us
 */
export async function* writeRows(url: ConnectionUrl, schema?: string): AsyncGenerator<string> {
  await using connection: Connection = openConnection(url)
  await connection.send(`begin isolation level repeatable read, read only;
${pinSearchPath}${pinFormats};
set local row_security = off`)
  for (const table of await readTables(connection, schema)) {
    if (table.columns.length > 0) yield* writeTable(connection, table)
  }
  yield* writeSequences(connection, schema)
  await connection.send('commit')
}

async function* writeTable(connection: Connection, table: Table): AsyncGenerator<string> {
  const { place, name, columns, isPartitioned, isOfItself } = table
  const names = columns.map(quoteIdentifier)
  const values: string[] = []
  for (let at = 0; at < names.length; at += mostArguments) {
    const some = names.slice(at, at + mostArguments)
    values.push(`format('${some.map(() => '%L').join(', ')}', ${some.join(', ')})`)
  }
  await connection.send(`declare drover_rows no scroll cursor for
select ${values.join(` || ', ' || `)} as row from ${isPartitioned ? '' : 'only '}${place}`)
  const into = `insert into ${name} (${names.join(', ')}) overriding system value values\n`
  let isOpen = false
  for (;;) {
    const rows = await connection.send(`fetch ${fetchSize} from drover_rows`)
    if (rows.length > 0) {
      yield `${isOpen ? ',\n' : into}${rows.map(({ row }) => `(${String(row)})`).join(',\n')}`
      isOpen = true
    }
    const isLast = rows.length < fetchSize
    if (isOpen && (isLast || !isOfItself)) {
      yield ';\n'
      isOpen = false
    }
    if (isLast) break
  }
  await connection.send('close drover_rows')
}

/** Sequences go on where they were: the next row would have the number of another one. */
async function* writeSequences(connection: Connection, schema: string | undefined): AsyncGenerator<string> {
  const sequences = await connection.send(`select relname::text as name, nspname::text as schema
from pg_class
join pg_namespace as space on space.oid = relnamespace
where ${whereOf(schema)} and relkind = 'S'
order by nspname, relname`)
  for (const sequence of sequences) {
    const [space, own] = [sequence['schema'], sequence['name']].map((name) => quoteIdentifier(String(name)))
    const place = `${space}.${own}`
    const [row] = await connection.send(`select last_value::text as value, is_called as called from ${place}`)
    const name = quoteLiteral(schema === undefined ? place : own!)
    yield `select pg_catalog.setval(${name}, ${String(row?.['value'])}, ${String(row?.['called'])});\n`
  }
}

/** Which schemas are meant. */
function whereOf(schema: string | undefined): string {
  return schema === undefined
    ? `space.nspname not in (${['information_schema', ...ownSchemas].map(quoteLiteral).join(', ')}) and space.nspname not like 'pg\\_%'`
    : `space.nspname = ${quoteLiteral(schema)}`
}

/** The tables of a schema, or of all, each behind those that it refers to. */
async function readTables(connection: Connection, schema: string | undefined): Promise<readonly Table[]> {
  const rows = await connection.send(`select
  class.oid::text as id, class.relname::text as name, space.nspname::text as schema, class.relkind = 'p' as partitioned,
  exists (select from pg_constraint where conrelid = class.oid and confrelid = class.oid and contype = 'f') as of_itself,
  (
    select coalesce(string_agg(attname::text, e'\\t' order by attnum), '')
    from pg_attribute
    where attrelid = class.oid and attnum > 0 and not attisdropped and attgenerated = ''
  ) as columns,
  (
    select coalesce(string_agg(distinct confrelid::text, ' '), '')
    from pg_constraint
    where conrelid = class.oid and contype = 'f' and confrelid <> class.oid
  ) as after
from pg_class as class
join pg_namespace as space on space.oid = class.relnamespace
where ${whereOf(schema)} and class.relkind in ('r', 'p') and not class.relispartition
order by space.nspname, class.relname`)
  const byId = new Map(rows.map((row) => [String(row['id']), row]))
  const nodes = rows.map((row) => ({
    id: String(row['id']),
    after: wordsOf(row['after'], ' ').filter((id) => byId.has(id)),
  }))
  // Tables that refer to each other in a circle have no order; they come last, as they stand.
  const { sorted } = sortTopologically(nodes)
  const rest = nodes.map(({ id }) => id).filter((id) => !sorted.includes(id))
  return [...sorted, ...rest].map((id) => {
    const row = byId.get(id)!
    const [space, own] = [row['schema'], row['name']].map((name) => quoteIdentifier(String(name)))
    const place = `${space}.${own}`
    return {
      place,
      name: schema === undefined ? place : own!,
      columns: wordsOf(row['columns'], '\t'),
      isPartitioned: row['partitioned'] === true,
      isOfItself: row['of_itself'] === true,
    }
  })
}

function wordsOf(text: unknown, separator: string): readonly string[] {
  return typeof text === 'string' && text !== '' ? text.split(separator) : []
}
