import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { clonePattern, isLeftover, nameClone } from './clone-name.ts'
import { type Connection, openConnection } from './connection.ts'
import type { ConnectionUrl } from './connection-url.ts'
import { isAlive } from './is-alive.ts'

/** A database that is thrown away. Disposing of it drops it, whoever is connected. */
export interface Clone extends AsyncDisposable {
  readonly url: ConnectionUrl
}

/** How a clone is made. */
export interface CloneOptions {
  /** Whoever may create databases, logged in to a database that is not the template. */
  readonly maker: ConnectionUrl
  /** Whose the clone is, and who works in it; default whoever makes it. */
  readonly owner?: ConnectionUrl
  /** The database that is copied, to which nobody may be connected. Default: an empty one is made. */
  readonly template?: string
  /** How long the copying may take, in milliseconds: for so long nobody can connect to the template. Default: no limit. */
  readonly limitMs?: number
}

/**
 * Makes a database that is thrown away. What `alter database … set` says of the template counts in it as well; its grants do not,
 * so that nobody but its owner gets in: it may hold the rows of a live database. What earlier clones on the same server have left
 * over is dropped first.
 *
 * Throws what PostgreSQL says: 42501 without the right to create databases, 55006 when somebody is connected to the template, 57014
 * when it has taken too long.
 */
export async function createClone({ maker, owner = maker, template, limitMs = 0 }: CloneOptions): Promise<Clone> {
  await using connection = openConnection(maker)
  await dropLeftovers(connection)
  const name = nameClone({ host: hostname(), pid: process.pid, now: Date.now() }, randomBytes(6).toString('hex'))
  const isOthers = owner.user !== maker.user
  await connection.send(`set statement_timeout = ${limitMs}`)
  try {
    await connection.send(
      // Nobody comes in before it is known who may.
      `create database ${quoteIdentifier(name)} with template ${quoteIdentifier(template ?? 'template0')} allow_connections false${isOthers ? ` owner ${quoteIdentifier(owner.user)}` : ''}`,
    )
    await connection.send(`set statement_timeout = 0`)
    await connection.send(`${pinSearchPath}${openUp(name, template, owner.user)}`)
  } catch (error) {
    await drop(connection, name).catch(() => undefined)
    throw error
  }
  return {
    url: owner.withDatabase(name),
    [Symbol.asyncDispose]: async () => {
      await using closing = openConnection(maker)
      await drop(closing, name)
    },
  }
}

/** Who is connected to a database, by the name of the application, and how many sessions of each there are. */
export async function readSessions(
  connection: Connection,
  database: string,
): Promise<readonly { readonly application: string; readonly sessions: number }[]> {
  const rows = await connection.send(`${pinSearchPath}
select coalesce(nullif(application_name, ''), coalesce(usename, 'unknown')) as application, count(*)::int as sessions
from pg_stat_activity
where datname = ${quoteLiteral(database)} and pid <> pg_backend_pid()
  -- That gives way by itself to whoever copies or drops its database.
  and backend_type <> 'autovacuum worker'
group by 1
order by 2 desc, 1`)
  return rows.map((row) => ({ application: String(row['application']), sessions: Number(row['sessions']) }))
}

/** Drops a database. @param force whether its sessions are ended; otherwise it fails with 55006 while there are any */
export async function dropDatabase(connection: Connection, name: string, force: boolean): Promise<void> {
  await connection.send(`drop database if exists ${quoteIdentifier(name)}${force ? ' with (force)' : ''}`)
}

function drop(connection: Connection, name: string): Promise<void> {
  return dropDatabase(connection, name, true)
}

/** Drops what rehearsals have left behind that were killed. What is still in use, or somebody else's, stays. */
async function dropLeftovers(connection: Connection): Promise<void> {
  const rows = await connection.send(
    `${pinSearchPath}select datname as name from pg_database where datname like ${quoteLiteral(clonePattern)}`,
  )
  const self = { host: hostname(), pid: process.pid, now: Date.now() }
  for (const row of rows) {
    const name = String(row['name'])
    if (isLeftover(name, self, isAlive)) await dropDatabase(connection, name, false).catch(() => undefined)
  }
}

/**
 * The statements that let the owner in, and nobody else. A setting that only a superuser may give is left out: it would have to be
 * there for everybody who rehearses.
 */
function openUp(name: string, template: string | undefined, owner: string): string {
  const database = quoteIdentifier(name)
  const settings = `
do $drover$
declare
  entry record;
begin
  for entry in
    select setrole, split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value
    from pg_db_role_setting, unnest(setconfig) as setting
    where setdatabase = (select oid from pg_database where datname = ${quoteLiteral(template ?? '')})
      and (setrole = 0 or setrole = (select oid from pg_roles where rolname = ${quoteLiteral(owner)}))
    order by setrole
  loop
    begin
      -- A list, such as a search_path, is read as one; written as a literal it would be a single name.
      perform pg_catalog.set_config(entry.name, entry.value, true);
      execute pg_catalog.concat(
        'alter ', case when entry.setrole operator(pg_catalog.=) 0 then '' else ${quoteLiteral(`role ${quoteIdentifier(owner)} in `)} end,
        ${quoteLiteral(`database ${database} set `)}, pg_catalog.quote_ident(entry.name), ' from current'
      );
    exception when insufficient_privilege then
      null;
    end;
  end loop;
end
$drover$;`
  return `${template === undefined ? '' : settings}
revoke all on database ${database} from public;
comment on database ${database} is 'A copy in which Drover rehearses; it is dropped afterwards.';
alter database ${database} allow_connections true`
}
