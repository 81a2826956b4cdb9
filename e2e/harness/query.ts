import { ConnectionUrl, openConnection, readCatalog } from '@drover/engine'
import postgres from 'postgres'

/** Runs statements on a connection of its own, past Drover; returns the rows of the last one. */
export async function query(url: string, statements: string): Promise<readonly Record<string, any>[]> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  try {
    const result: any = await sql.unsafe(statements).simple()
    const last = result.at(-1)
    return [...(Array.isArray(last) ? last : result)]
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** The values of the first column. */
export async function queryColumn(url: string, statement: string): Promise<readonly any[]> {
  return (await query(url, statement)).map((row) => Object.values(row)[0])
}

/** The ids of the revisions that a database has had, in the order in which it had them. None before its first run. */
export async function readApplied(url: string): Promise<readonly string[]> {
  if (!(await hasStore(url))) return []
  return queryColumn(url, 'select revision from drover.applied order by applied_at')
}

/** How the runs on a database ended, in the order in which they began. */
export async function readOutcomes(url: string): Promise<readonly string[]> {
  return queryColumn(url, 'select outcome from drover.run order by started_at')
}

/** Whether Drover has ever written to a database. */
export async function hasStore(url: string): Promise<boolean> {
  const [row] = await query(url, `select to_regnamespace('drover') is not null as present`)
  return row!['present']
}

/**
 * Everything that Drover keeps in a database, as text, each row with the transaction that wrote it: equal twice only
 * when nothing was written in between.
 */
export async function readStore(url: string): Promise<readonly string[]> {
  return queryColumn(
    url,
    `
select 'applied ' || xmin || ' ' || applied::text as row from drover.applied
union all
select 'run ' || xmin || ' ' || run::text from drover.run
union all
select 'lease ' || xmin || ' ' || lease::text from drover.lease
order by row`,
  )
}

/** The schema of a database as sorted lines, without what Drover keeps in it. */
export async function catalogOf(url: string): Promise<readonly string[]> {
  await using connection = openConnection(ConnectionUrl.parse(url, 'the test'))
  // Awaited here: the connection is closed when this function returns.
  return await readCatalog(connection)
}
