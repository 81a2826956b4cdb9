import { logEntry } from './log.ts'
import { query, queryColumn } from './query.ts'
import { createWorkspace, type TestWorkspace } from './workspace.ts'

/** What a tenant has of its own. */
export type TenantKind = 'schema' | 'database'

/** A workspace whose tenants are on servers of their own, by the names of those, with the list of them in `main`. */
export interface TenantPlaces extends TestWorkspace {
  /** URL of the database that lists the tenants. */
  readonly registry: string
  /** Adds rows to the list. */
  list(server: string, slugs: readonly string[]): Promise<void>
  /** Adds a revision to the history of the tenants, which writes down that it ran; returns its id. */
  addStep(sql?: { readonly up?: string; readonly down?: string }): Promise<string>
  /** What ran for each tenant of a server, in order, by its slug: what ran twice stands in it twice. */
  ran(server: string): Promise<Readonly<Record<string, string>>>
  /** Expires the leases on a server, as if their holders had been silent for long. */
  expireLeases(server: string): Promise<void>
}

/**
 * Makes a workspace without tenants, of whose history the first revision makes the log.
 * @param servers URLs by name; one that is called `only` is the only place there is
 * @param options what else stands in the declaration of the tenants
 * @param defaults of the rows of new tenants, as the text of an object
 */
export async function createTenantPlaces(
  kind: TenantKind,
  servers: Readonly<Record<string, string>>,
  options = '',
  defaults = '{}',
): Promise<TenantPlaces> {
  await using opened = new AsyncDisposableStack()
  const workspace = opened.use(await createWorkspace())
  const registry = await workspace.addDatabase('main')
  await query(registry, 'create table tenants (slug text primary key, region text)')
  const { only, ...others } = servers
  workspace.env['TENANT_DATABASE_URL'] = only ?? registry
  for (const [name, url] of Object.entries(others)) workspace.env[variableOf(name)] = url
  const places = Object.keys(others).map((name) => `${name}: '${variableOf(name)}'`)
  const where = only === undefined ? `servers: { ${places.join(', ')} }, ` : ''
  const registered = `registry: { ${only === undefined ? `server: 'region', ` : ''}defaults: ${defaults} }, `
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, ${kind}PerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: ${kind}PerTenant({ ${where}${registered}${options} }) })
`,
  )
  let steps = 0
  const addStep: TenantPlaces['addStep'] = async ({ up = '', down = '' } = {}) => {
    steps += 1
    const id = `5e2b${String(steps).padStart(8, '0')}`
    await workspace.addRevision('tenant', { id, up: `${up}${logEntry(String(steps))}`, down: `${down}select 1;\n` })
    return id
  }
  await addStep({
    up: 'create table log (id integer primary key generated always as identity, entry text not null);\n',
    down: 'drop table log;\n',
  })
  const owned = opened.move()
  return {
    ...workspace,
    registry,
    addStep,
    list: async (server, slugs) => {
      const rows = slugs.map((slug) => `('${slug.replaceAll("'", "''")}', '${server}')`)
      await query(registry, `insert into tenants values ${rows.join(', ')}`)
    },
    ran: (server) => (kind === 'schema' ? readSchemas(servers[server]!) : readDatabases(servers[server]!)),
    expireLeases: async (server) => {
      await query(servers[server]!, `update drover.lease set expires_at = '-infinity'`)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Slugs that sort as they are numbered. */
export function numbered(begin: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${begin}${String(at + 1).padStart(4, '0')}`)
}

/** The databases of tenants that a server has. */
export function databasesOf(url: string): Promise<readonly string[]> {
  return queryColumn(url, `select datname::text from pg_database where datname like 'tenant\\_%' order by datname`)
}

/** The same server, another database. */
export function inDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

/** Takes away the tenants of a server, with what is recorded in the database of the URL. */
export async function clearTenants(url: string): Promise<void> {
  for (const database of await databasesOf(url)) await query(url, `drop database "${database}"`)
  const schemas = await queryColumn(url, `select nspname::text from pg_namespace where nspname like 'tenant\\_%'`)
  for (const schema of schemas) await query(url, `drop schema "${schema}" cascade`)
  await query(url, 'drop schema if exists drover cascade')
}

async function readSchemas(url: string): Promise<Readonly<Record<string, string>>> {
  const schemas = await queryColumn(
    url,
    `select nspname::text from pg_namespace where nspname like 'tenant\\_%' order by nspname`,
  )
  if (schemas.length === 0) return {}
  const parts = schemas.map(
    (schema) => `select '${schema}' as name, (select string_agg(entry, ' ' order by id) from "${schema}".log) as ran`,
  )
  const rows = await query(url, parts.join(' union all '))
  return Object.fromEntries(rows.map((row) => [slugOf(row['name']), row['ran']]))
}

async function readDatabases(url: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const database of await databasesOf(url)) {
    const own = inDatabase(url, database)
    const [log] = await queryColumn(own, `select to_regclass('log')::text`)
    found[slugOf(database)] =
      log === null ? '' : (await queryColumn(own, 'select entry from log order by id')).join(' ')
  }
  return found
}

function slugOf(name: string): string {
  return name.replace(/^tenant_/, '')
}

function variableOf(server: string): string {
  return `TENANT_${server.toUpperCase()}_URL`
}
