import { ConnectionUrl, fingerprintSchemas, openConnection } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import postgres from 'postgres'
import { inject } from 'vitest'

import { logEntry } from './log.ts'
import { hasStore, query, queryColumn } from './query.ts'
import { createWorkspace, type Running, type TestWorkspace } from './workspace.ts'

/** A workspace with a history that tenants have, each in a schema of its own. */
export interface TenantHistory extends AsyncDisposable {
  readonly workspace: TestWorkspace
  /** Adds a revision to it, behind the one before; returns its folder. */
  addRevision(revision: TenantRevision): Promise<string>
  /** The ids of its revisions so far, and what each tenant's log holds when it has had them once. */
  expected(): { readonly ids: readonly string[]; readonly log: readonly string[] }
  /** Makes a place with tenants that have had nothing. Default: on the server of the tests. */
  makeTenants(slugs: readonly string[], serverUrl?: string): Promise<Tenants>
}

/** Tenants that a test has to itself: their registry and their schemas, in one database. */
export interface Tenants extends AsyncDisposable {
  readonly url: string
  /** Starts `pnpm migrate tenant …`. `reach` turns the URL into the one that the command gets. */
  start(args: readonly string[], options?: { readonly reach?: (url: string) => string }): Running
  /** Writes rows of the registry, whatever they hold. */
  register(slugs: readonly string[]): Promise<void>
  /** Expires the lease, as if its holder had been silent for long. */
  expireLease(): Promise<void>
  /** What the tenants have had and what is in them: those with the same together. Tenants without a schema have nothing. */
  snapshot(): Promise<readonly TenantGroup[]>
}

/** Tenants that cannot be told apart. */
interface TenantGroup {
  /** What ran, in order: a revision that ran twice stands in it twice. */
  readonly log: readonly string[]
  /** What is recorded, in order, with its state. */
  readonly applied: readonly string[]
  /** The rows of the one table besides the log. */
  readonly rows: string
  readonly fingerprint: string
  readonly schemas: readonly string[]
}

/** A revision of which every part writes down that it ran. */
export interface TenantRevision {
  readonly up?: string
  /** Statements outside a transaction, with an entry before and behind. */
  readonly outside?: string
  /** How `up` is repeated. It is one statement, and writes nothing down: rows that it changed twice show. */
  readonly batch?: object
}

/** The table that every history here begins with, and in which its revisions write down that they ran. */
const beginning = `create table log (id integer generated always as identity primary key, entry text not null);
create table item (id integer primary key, counter integer not null default 0, name text);
insert into item (id) select generate_series(1, 20);
`

/** Revisions of every kind: after them each row of `item` has counted to 11. */
export const everyKind: readonly TenantRevision[] = [
  { up: 'update item set counter = counter + 1;\n' },
  { outside: 'create index concurrently item_name on item (name);\n' },
  { up: `alter table item add kind text not null default 'a';\n` },
  {
    batch: { key: 'item.id', size: 7 },
    up: 'update item set counter = counter + 10 where id > :from and id <= :to;\n',
  },
  { up: 'alter table item drop column name;\n' },
]

/** Revisions that are transactions: after them each row of `item` has counted to 6. */
export const transactional: readonly TenantRevision[] = Array.from({ length: 6 }, (_, at) => ({
  up: `alter table item add column c${at} integer;\nupdate item set counter = counter + 1;\n`,
}))

/** Slugs that sort as they are numbered. */
export function slugsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `t${String(at + 1).padStart(5, '0')}`)
}

/**
 * Makes a history of tenants, and no tenants. Its first revision makes the tables.
 * @param options.tenants what stands between the brackets of `schemaPerTenant`
 */
export async function createTenantHistory(
  revisions: readonly TenantRevision[] = [],
  options: { readonly tenants?: string } = {},
): Promise<TenantHistory> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('main', { create: false })
  await workspace.addDatabase('tenant', { create: false })
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: schemaPerTenant(${options.tenants ?? ''}) })
`,
  )
  const ids: string[] = []
  const log: string[] = []
  const addRevision: TenantHistory['addRevision'] = async (revision) => {
    const number = ids.length + 1
    const id = `7e4a${String(number).padStart(8, '0')}`
    ids.push(id)
    log.push(...entriesOf(revision, number))
    return await workspace.addRevision('tenant', { id, ...filesOf(revision, number) })
  }
  await addRevision({ up: beginning })
  for (const revision of revisions) await addRevision(revision)
  return {
    workspace,
    addRevision,
    expected: () => ({ ids, log }),
    makeTenants: async (slugs, serverUrl = inject('serverUrl')) => {
      const database = await createThrowawayDatabase(serverUrl)
      await query(database.url, 'create table tenants (slug text)')
      const tenants = openTenants(workspace, database.url)
      await tenants.register(slugs)
      return { ...tenants, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
    },
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  }
}

/** What a revision writes down. */
function entriesOf({ outside, batch }: TenantRevision, number: number): readonly string[] {
  if (batch) return []
  return outside === undefined ? [`${number}`] : [`${number}a`, `${number}b`]
}

function filesOf(revision: TenantRevision, number: number) {
  const { up = '', outside, batch } = revision
  if (batch) return { batch, up }
  const [first = '', second = ''] = entriesOf(revision, number).map(logEntry)
  return outside === undefined
    ? { up: `${up}${first}` }
    : { transaction: 'none' as const, up: `${first}${outside}${second}` }
}

function openTenants(workspace: TestWorkspace, url: string): Omit<Tenants, typeof Symbol.asyncDispose> {
  return {
    url,
    start: (args, { reach = (own: string) => own } = {}) =>
      workspace.start(['tenant', ...args], {
        env: { MAIN_DATABASE_URL: reach(url), DATABASE_URL: reach(url), TENANT_DATABASE_URL: reach(url) },
      }),
    register: async (slugs) => {
      if (slugs.length === 0) return
      await query(url, `insert into tenants values ${slugs.map((slug) => `(${literal(slug)})`).join(', ')}`)
    },
    expireLease: async () => {
      // Drover makes its schema and the tables in it in one transaction.
      if (await hasStore(url)) await query(url, `update drover.lease set expires_at = '-infinity'`)
    },
    snapshot: () => readTenants(url),
  }
}

/** Looks again and again until something is so, or a command has ended. */
export async function untilSo({ ended }: Running, look: () => Promise<boolean>): Promise<void> {
  const state = { isOver: false }
  void ended.then(() => (state.isOver = true))
  while (!state.isOver && !(await look()));
}

/** A session that holds a lock on a table which lets nobody change it. */
export interface TableLock extends AsyncDisposable {
  readonly pid: number
  release(): Promise<void>
}

/** Locks a table of tenants until it is released. */
export async function lockTable({ url }: Tenants, table: string): Promise<TableLock> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  const release = () => sql.end({ timeout: 5 })
  await sql.unsafe(`begin; lock table ${table} in share mode`).simple()
  const [row] = await sql`select pg_backend_pid() as pid`
  return { pid: Number(row?.['pid']), release, [Symbol.asyncDispose]: release }
}

/** How many schemas are read in one query. */
const chunk = 200

async function readTenants(url: string): Promise<readonly TenantGroup[]> {
  const schemas: readonly string[] = await queryColumn(
    url,
    `select nspname::text from pg_namespace where nspname like 'tenant\\_%' order by 1`,
  )
  const groups = new Map<string, TenantGroup & { readonly schemas: string[] }>()
  await using connection = openConnection(ConnectionUrl.parse(url, 'the test'))
  for (let at = 0; at < schemas.length; at += chunk) {
    const names = schemas.slice(at, at + chunk)
    const fingerprints = await fingerprintSchemas(connection, names)
    for (const { name, ...about } of await query(url, names.map(selectTenant).join(' union all '))) {
      const fingerprint = fingerprints.get(name)!
      const key = JSON.stringify([about, fingerprint])
      const [log, applied] = [about['log'].split('\n'), about['applied'].split('\n')]
      const group = groups.get(key) ?? { log, applied, rows: about['rows'], fingerprint, schemas: [] as string[] }
      group.schemas.push(name)
      groups.set(key, group)
    }
  }
  return [...groups.values()]
}

function selectTenant(schema: string): string {
  const own = `"${schema.replaceAll('"', '""')}"`
  return `select ${literal(schema)} as name,
  (select coalesce(string_agg(entry, e'\\n' order by id), '') from ${own}.log) as log,
  (select coalesce(string_agg(revision || ' ' || state, e'\\n' order by revision), '') from drover.applied where target = ${literal(schema)}) as applied,
  (select string_agg(to_jsonb(item)::text, e'\\n' order by id) from ${own}.item) as rows`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
