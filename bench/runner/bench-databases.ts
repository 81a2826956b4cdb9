import {
  compareCatalogs,
  type Connection,
  ConnectionUrl,
  describeDifference,
  openConnection,
  quoteIdentifier,
  readCatalog,
} from '@drover/engine'

import type { Place, Tool } from './tool.ts'

/** What is in a database: its schema, and how many rows each table has. */
export interface Contents {
  readonly catalog: readonly string[]
  readonly rows: string
}

/** A session in a database. */
export function connect({ name, url }: Place): Connection {
  return openConnection(ConnectionUrl.parse(url, name))
}

/**
 * Creates databases, as copies of others or empty. They stay until the server goes: for a minute, ext4 gives a new file no inode that was
 * just deleted, and looks through all of those for each, which whoever is measured next would pay for.
 */
export async function createAll(
  control: Connection,
  places: readonly Place[],
  templates: readonly Place[] = [],
): Promise<void> {
  for (const [index, place] of places.entries()) {
    const template = templates[index] ? databaseOf(templates[index]) : 'template0'
    await control.send(`create database ${databaseOf(place)} template ${template}`)
  }
}

function databaseOf({ url }: Place): string {
  return quoteIdentifier(new URL(url).pathname.slice(1))
}

export async function readContents(connection: Connection): Promise<Contents> {
  const catalog = await readCatalog(connection)
  const tables = await connection.send(
    `select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  )
  const counts = tables.map(({ name }) => `select '${String(name)}' as name, count(*) as rows from ${String(name)}`)
  const rows = counts.length > 0 ? await connection.send(counts.join(' union all ')) : []
  return { catalog, rows: rows.map((row) => `${String(row['name'])}: ${String(row['rows'])} rows`).join(', ') }
}

/**
 * Makes sure that nobody wins by doing less. Removes what the tool keeps for itself, and so is the last that is done with
 * these databases.
 * @throws {Error} when a database is not as it should be
 */
export async function expectContents(places: readonly Place[], tool: Tool, expected: Contents): Promise<void> {
  for (const place of places) {
    await using connection = connect(place)
    if (tool.forget !== '') await connection.send(tool.forget)
    const found = await readContents(connection)
    const [difference] = compareCatalogs(expected.catalog, found.catalog)
    if (difference) throw new Error(`leaves another schema: ${describeDifference(difference).join(' ')}`)
    if (found.rows !== expected.rows) throw new Error(`leaves other rows: ${found.rows}`)
  }
}
