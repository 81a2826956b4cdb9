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

/**
 * What Drover keeps in a database, without times, ids of runs, and who ran them: equal for two ways of doing the same.
 * The tables themselves are part of it.
 */
export async function readRecords(url: string): Promise<readonly string[]> {
  if (!(await hasStore(url))) return []
  return queryColumn(
    url,
    `
select concat_ws(' ', 'applied', row_number() over (order by applied.applied_at), applied.history, applied.target, applied.revision,
  applied.checksum, applied.state, applied.applied_by, applied.duration_ms >= 0, run.command, run.outcome, run.plan) as row
from drover.applied
join drover.run on run.id = applied.run
union all
select concat_ws(' ', 'run', row_number() over (order by started_at), history, command, plan, outcome, error,
  finished_at >= started_at, database_user, version, git_commit)
from drover.run
union all
select concat_ws(' ', 'lease', lease.history, lease.token, lease.database_user, lease.command, lease.expires_at,
  lease.run = (select id from drover.run where run.history = lease.history order by started_at desc limit 1))
from drover.lease
union all
select concat_ws(' ', 'column', attrelid::regclass, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
  pg_get_expr(adbin, adrelid))
from pg_attribute
left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum)
where attnum > 0 and attrelid in (select oid from pg_class where relnamespace = 'drover'::regnamespace)
union all
select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
from pg_constraint
where connamespace = 'drover'::regnamespace
union all
select concat_ws(' ', 'schema', nspacl, obj_description(oid, 'pg_namespace'))
from pg_namespace
where nspname = 'drover'
order by row`,
  )
}

/** The schema of a database as sorted lines, without what Drover keeps in it. */
export async function catalogOf(url: string): Promise<readonly string[]> {
  await using connection = openConnection(ConnectionUrl.parse(url, 'the test'))
  // Awaited here: the connection is closed when this function returns.
  return await readCatalog(connection)
}
