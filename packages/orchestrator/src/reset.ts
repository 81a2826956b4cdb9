import {
  type ConnectionUrl,
  dropDatabase,
  openConnection,
  quoteIdentifier,
  quoteLiteral,
  readSessions,
} from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'

import { problemsOf } from './release/fleet.ts'
import type { Located } from './workspace/locate.ts'

/** A database that is to be dropped, and what is lost with it. */
export interface Doomed {
  readonly located: Located
  /** Whoever drops it, logged in to another database of its server. */
  readonly maker: ConnectionUrl
  /** Missing where its server does not have it. */
  readonly contents?: {
    readonly tables: number
    /** As the server estimates it. */
    readonly rows: number
    readonly bytes: number
    /** Tells one physical database from another. */
    readonly identity: string
  }
  /** Who is connected to it beside ourselves. */
  readonly sessions: readonly { readonly application: string; readonly sessions: number }[]
  /** What keeps its maker from dropping it, or from making it again, in words. */
  readonly obstacle?: string
}

/** What was asked for. */
export interface ResetWish {
  /** Whether sessions are ended that are connected. */
  readonly force: boolean
  /** Hosts that are not this machine, on which databases may be dropped all the same. */
  readonly remote: readonly string[]
}

/**
 * Looks at a database that is to be dropped, and changes nothing.
 * @param administrator of its server; default its own user
 */
export async function surveyDatabase(located: Located, administrator = located.url): Promise<Doomed> {
  const { url, database } = located
  const maker = administrator.withDatabase('postgres')
  try {
    await using connection = openConnection(maker)
    const [found] = await connection.send(`
select
  (select rolsuper or rolcreatedb from pg_catalog.pg_roles where rolname = current_user) as may_create,
  (select pg_catalog.pg_has_role(datdba, 'member') from pg_catalog.pg_database where datname = ${quoteLiteral(url.database)}) as may_drop`)
    const mayDrop = found?.['may_drop']
    const user = quoteIdentifier(maker.user)
    const obstacle =
      mayDrop === false
        ? `user ${user} does not own it`
        : found?.['may_create'] === true
          ? undefined
          : `user ${user} may not create databases, and so could not make it again`
    const contents = mayDrop === null ? undefined : await readContents(url)
    // Ours have been there a moment ago.
    const others = await readSessions(connection, url.database)
    const sessions = others.filter(({ application }) => application !== surveyor)
    return { located, maker, sessions, ...(contents && { contents }), ...(obstacle !== undefined && { obstacle }) }
  } catch (error) {
    const [first, ...rest] = problemsOf(error, database.name)
    throw new DroverError([first!, ...rest], { cause: error })
  }
}

/** Everything that keeps databases from being dropped. Pure. */
export function findResetProblems(doomed: readonly Doomed[], { force, remote }: ResetWish): readonly Problem[] {
  return [...findShared(doomed), ...doomed.flatMap((one) => findOwnProblems(one, force, remote))]
}

/**
 * Drops databases, one after the other, and stops at the first that cannot be.
 * @param signal once aborted, no other is dropped
 * @param onDropped called with each that is gone
 */
export async function dropAll(
  doomed: readonly Doomed[],
  { force }: Pick<ResetWish, 'force'>,
  signal: AbortSignal,
  onDropped: (one: Doomed) => void,
): Promise<readonly Problem[]> {
  for (const one of doomed) {
    if (!one.contents) continue
    if (signal.aborted) return []
    const { database, url } = one.located
    try {
      await using connection = openConnection(one.maker)
      await dropDatabase(connection, url.database, force)
      onDropped(one)
    } catch (error) {
      return problemsOf(error, database.name).map((problem) =>
        problem.sqlstate === '55006' ? { ...problem, code: 'RESET_REFUSED', hint: endThem } : problem,
      )
    }
  }
  return []
}

/** Whether a host is this machine, as far as its name tells: a tunnel may still lead elsewhere. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('/') || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** By which our own look is told from the sessions of others. */
const surveyor = 'drover reset'
const endThem = 'close them, or end them with --force'

async function readContents(url: ConnectionUrl): Promise<NonNullable<Doomed['contents']>> {
  await using connection = openConnection(url)
  const [row] = await connection.send(`
set application_name = ${quoteLiteral(surveyor)};
select
  (select pg_catalog.count(*)::int from pg_catalog.pg_stat_user_tables where schemaname <> 'drover') as tables,
  (select coalesce(pg_catalog.sum(n_live_tup), 0)::float8 from pg_catalog.pg_stat_user_tables where schemaname <> 'drover') as rows,
  pg_catalog.pg_database_size(pg_catalog.current_database())::float8 as bytes,
  (
    select extract(epoch from pg_catalog.pg_postmaster_start_time()) || '/' || oid
    from pg_catalog.pg_database where datname = pg_catalog.current_database()
  ) as identity`)
  return {
    tables: Number(row?.['tables']),
    rows: Number(row?.['rows']),
    bytes: Number(row?.['bytes']),
    identity: String(row?.['identity']),
  }
}

/** One of them would be dropped, and both would then be refused. */
function findShared(doomed: readonly Doomed[]): readonly Problem[] {
  const there = doomed.filter(({ contents }) => contents !== undefined)
  return [...Map.groupBy(there, ({ contents }) => contents!.identity).values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      code: 'SAME_DATABASE',
      database: group[0]!.located.database.name,
      message: `${group.map(({ located }) => located.database.name).join(' and ')} lead to the same database, ${group[0]!.located.url.place}`,
      hint: `correct ${group.map(({ located }) => located.url.source).join(' or ')}`,
    }))
}

function findOwnProblems(
  { located, contents, sessions, obstacle }: Doomed,
  force: boolean,
  remote: readonly string[],
): readonly Problem[] {
  const { database, url } = located
  const about = { database: database.name } as const
  const named = sessions.map(({ application, sessions: many }) => `${many} of "${application}"`).join(', ')
  return [
    ...(isThisMachine(url.host) || remote.includes(url.host)
      ? []
      : [
          {
            ...about,
            code: 'RESET_REFUSED',
            message: `it is on ${url.host}, which is not this machine: --yes is not enough there`,
            hint: `if all that is in it may be lost, name the host: pnpm migrate reset -d ${database.name} --remote ${url.host}`,
          } as const,
        ]),
    ...(obstacle === undefined
      ? []
      : [
          {
            ...about,
            code: 'PRIVILEGE_MISSING',
            message: obstacle,
            hint: 'name an administrator of the server in DROVER_ADMIN_URL',
          } as const,
        ]),
    ...(contents && sessions.length > 0 && !force
      ? [{ ...about, code: 'RESET_REFUSED', message: `sessions are connected to it: ${named}`, hint: endThem } as const]
      : []),
  ]
}
