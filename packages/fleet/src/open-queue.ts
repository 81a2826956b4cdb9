import {
  type Connection,
  type ConnectionUrl,
  openConnection,
  pinSearchPath,
  queueSchema,
  saslprep,
  tlsFor,
} from '@drover/engine'
import { DroverError } from '@drover/history'

import { BossQueue } from './boss-queue.ts'
import { loadBoss } from './load-boss.ts'
import { queueError } from './queue-error.ts'
import type { Queue } from './queue.ts'

/** What a queue is opened for: who works brings back the jobs of those that have gone, and who looks makes nothing. */
type Purpose = 'add' | 'work' | 'look'

/** How often, in seconds, pg-boss looks for jobs that nobody speaks for any more, which it gives back. */
const lookEverySeconds = 3

/**
 * Opens the queue for the tenants of one database.
 * @param url the database that the queue is in; it is made there unless somebody only looks
 * @param name the database whose history the tenants have
 * @returns `undefined` when somebody only looks, and there is none
 * @throws {DroverError} `CONFIG_INVALID` where pg-boss is not installed, `PRIVILEGE_MISSING` where somebody else has made its schema,
 * and for a server that cannot be reached
 */
export async function openQueue(url: ConnectionUrl, name: string, purpose: 'look'): Promise<Queue | undefined>
export async function openQueue(url: ConnectionUrl, name: string, purpose: Purpose): Promise<Queue>
export async function openQueue(url: ConnectionUrl, name: string, purpose: Purpose): Promise<Queue | undefined> {
  const { PgBoss } = await loadBoss()
  const place = await lookAt(url)
  if (!place.isThere && purpose === 'look') return undefined
  const boss = new PgBoss({
    host: url.host,
    port: url.port,
    database: url.database,
    user: url.user,
    password: () => saslprep(url.revealPassword()),
    ssl: place.tls,
    options: optionsOf(url, place, purpose),
    application_name: url.parameters['application_name'] ?? 'drover fleet',
    schema: queueSchema,
    max: purpose === 'work' ? 4 : 2,
    supervise: purpose === 'work',
    superviseIntervalSeconds: lookEverySeconds,
    monitorIntervalSeconds: lookEverySeconds,
    schedule: false,
    reindex: false,
    monitorVacuum: false,
  })
  // What goes wrong in the background goes wrong in the next call as well, which says so.
  boss.on('error', () => {})
  try {
    await boss.start()
    return await BossQueue.open(boss, url, name)
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => undefined)
    throw queueError(error, url)
  }
}

/** How sessions begin. A pooler knows no such options. */
function optionsOf({ parameters }: ConnectionUrl, { isPooled }: QueuePlace, purpose: Purpose): string {
  const own = parameters['options'] ?? ''
  if (isPooled) return own
  // What pg-boss names without a schema is PostgreSQL's.
  const pinned = `${own} -c search_path=pg_catalog,pg_temp`
  // What a worker writes may be lost with the server: its jobs are then taken once more, and nothing is left to do.
  return purpose === 'work' ? `${pinned} -c synchronous_commit=off` : pinned
}

interface QueuePlace {
  readonly isThere: boolean
  readonly isPooled: boolean
  /** What the driver of pg-boss is told of TLS. */
  readonly tls: unknown
}

/** Looks at where the queue is to be. The driver of pg-boss cannot take TLS where a server offers it, so it is told whether ours has. */
async function lookAt(url: ConnectionUrl): Promise<QueuePlace> {
  await using connection = openConnection(url)
  const isPooled = await connection.isPooled()
  const { owner, isOurs, hasTls } = await readPlace(connection)
  if (owner !== undefined && !isOurs) {
    throw new DroverError({
      code: 'PRIVILEGE_MISSING',
      message: `the schema ${queueSchema} in ${url.place} belongs to ${owner}, and would be believed whatever it holds`,
      hint: `connect as ${owner}, or let the owner of the database drop the schema`,
    })
  }
  const told = tlsFor(url)
  const tls = told === 'prefer' ? hasTls && { rejectUnauthorized: false } : told
  return { isThere: owner !== undefined, isPooled, tls }
}

async function readPlace(
  connection: Connection,
): Promise<{ readonly owner: string | undefined; readonly isOurs: boolean; readonly hasTls: boolean }> {
  const [row] = await connection.send(`${pinSearchPath}
select pg_get_userbyid(nspowner) as owner, coalesce(tls.ssl, false) as tls,
  pg_get_userbyid(nspowner) = current_user
    or nspowner = (select datdba from pg_database where datname = current_database())
    or (select rolsuper from pg_roles where oid = nspowner)
    or (not me.rolsuper and pg_has_role(nspowner, 'usage')) as is_ours
from pg_roles as me
left join pg_namespace on nspname = '${queueSchema}'
left join pg_stat_ssl as tls on tls.pid = pg_backend_pid()
where me.rolname = current_user`)
  const owner = row?.['owner']
  return {
    owner: typeof owner === 'string' ? owner : undefined,
    isOurs: row?.['is_ours'] === true,
    hasTls: row?.['tls'] === true,
  }
}
