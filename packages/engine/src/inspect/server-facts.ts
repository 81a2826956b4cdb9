import * as v from 'valibot'

import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { storeSchema } from '../store/tables.ts'

/** What a server says of itself, of a database, and of the user who asks. */
export type ServerFacts = Readonly<v.InferOutput<typeof factsSchema>> & {
  /** How much later it is there than here, in milliseconds, give or take half of `turnMs`. */
  readonly clockAheadMs: number
  /** How long asking took, in milliseconds. */
  readonly turnMs: number
}

/** Asks a server about itself, in one query. Changes nothing. */
export async function readServerFacts(connection: Connection): Promise<ServerFacts> {
  // The first message opens the connection.
  await connection.send('select 1')
  const asked = Date.now()
  const [row] = await connection.send(`${pinSearchPath}${selectFacts}`)
  const turnMs = Date.now() - asked
  const facts = v.parse(factsSchema, JSON.parse(String(row?.['facts'])))
  return { ...facts, turnMs, clockAheadMs: facts.clockMs - (asked + turnMs / 2) }
}

/** The major version of a server's PostgreSQL. */
export async function readMajorVersion(connection: Connection): Promise<number> {
  const [row] = await connection.send('show server_version_num')
  return Math.trunc(Number(row?.['server_version_num']) / 10_000)
}

const factsSchema = v.object({
  /** `180004` */
  version: v.number(),
  /** As in `show server_version`. */
  versionText: v.string(),
  /** Whether it is a standby, where nothing can be changed. */
  isStandby: v.boolean(),
  isSuperuser: v.boolean(),
  /** Whether the user may create databases. */
  mayCreateDatabases: v.boolean(),
  /** Whether the user may create schemas in this database. */
  mayCreateSchemas: v.boolean(),
  user: v.string(),
  /** Whose the schema of Drover is; null where it is not there. */
  storeOwner: v.nullable(v.string()),
  /** Whether the user has what the owner of that schema has. */
  isStoreOurs: v.boolean(),
  /** Whether Drover's tables are of an earlier version of it. */
  isStoreOld: v.boolean(),
  /** Whether this connection is encrypted. */
  isEncrypted: v.boolean(),
  clockMs: v.number(),
  /** Each by its name, as `show` has it. */
  settings: v.record(v.string(), v.string()),
  /** Indexes that take part in nothing, with their schema and their table. */
  invalidIndexes: v.array(v.object({ index: v.string(), table: v.string(), isBeingBuilt: v.boolean() })),
})

const settings = [
  'default_transaction_isolation',
  'default_transaction_read_only',
  'fsync',
  'full_page_writes',
  'idle_in_transaction_session_timeout',
  'max_locks_per_transaction',
  'session_replication_role',
  'synchronous_commit',
]

const selectFacts = `
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'versionText', current_setting('server_version'),
  'isStandby', pg_is_in_recovery(),
  'isSuperuser', (select rolsuper from pg_roles where rolname = current_user),
  'mayCreateDatabases', (select rolsuper or rolcreatedb from pg_roles where rolname = current_user),
  'mayCreateSchemas', has_database_privilege(current_database(), 'create'),
  'user', current_user,
  'storeOwner', (select pg_get_userbyid(nspowner) from pg_namespace where nspname = ${quoteLiteral(storeSchema)}),
  'isStoreOurs', coalesce((select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = ${quoteLiteral(storeSchema)}), false),
  'isStoreOld', exists (
    select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = ${quoteLiteral(storeSchema)} and relname = 'applied' and relkind = 'r'
      and not exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'progress' and not attisdropped)
  ),
  'isEncrypted', coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false),
  'clockMs', extract(epoch from clock_timestamp()) * 1000,
  'settings', (select json_object_agg(name, current_setting(name)) from unnest(array[${settings.map(quoteLiteral).join(', ')}]) as name),
  'invalidIndexes', (
    select coalesce(json_agg(json_build_object(
      'index', format('%I.%I', nspname, pg_class.relname),
      'table', format('%I.%I', nspname, owner.relname),
      'isBeingBuilt', exists (select from pg_stat_progress_create_index where index_relid = indexrelid)
    ) order by 1), '[]')
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    join pg_class as owner on owner.oid = indrelid
    join pg_namespace on pg_namespace.oid = owner.relnamespace
    -- That of a partitioned table is invalid until all partitions have theirs, and holds nothing itself.
    where not indisvalid and pg_class.relkind = 'i' and nspname <> 'pg_toast'
  )
)::text as facts`
