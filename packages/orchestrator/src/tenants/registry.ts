import type { TenantsConfig } from '@drover/config'
import { type Connection, quoteArray, quoteIdentifier, quoteLiteral } from '@drover/engine'
import { DroverError } from '@drover/history'

/** A tenant as the registry has it. */
export interface Tenant {
  readonly slug: string
  /** On which server it is, where that is said. */
  readonly server?: string
}

/** Which tenants are wanted. Nothing: all of them. */
export interface TenantFilter {
  readonly slugs?: readonly string[] | undefined
  /** Patterns of slugs, in which `*` stands for any text and `?` for any character; one of them has to fit. */
  readonly match?: readonly string[] | undefined
  /** So many of them, picked at random. */
  readonly sample?: number | undefined
}

type Registry = TenantsConfig['registry']

/**
 * Reads the tenants in the order of their slugs, page by page, so that memory does not grow with their number. Tenants that come while
 * this goes on are found where their slug is still ahead. A table that is not there yet has none.
 * @throws {DroverError} `CONFIG_INVALID` when the table has no such columns
 */
export async function* readTenants(
  connection: Connection,
  registry: Registry,
  filter: TenantFilter,
  pageSize: number,
): AsyncGenerator<readonly Tenant[]> {
  const { sample } = filter
  for (let last: string | undefined; ;) {
    const conditions = [
      ...conditionsOf(registry, filter),
      ...(last === undefined ? [] : [`${slugOf(registry)} > ${quoteLiteral(last)}`]),
    ]
    const order = sample === undefined ? `order by slug limit ${pageSize}` : `order by random() limit ${sample}`
    const page = await readPage(connection, registry, `${whereAll(conditions)}\n${order}`)
    if (page.length > 0) yield page
    if (sample !== undefined || page.length < pageSize) return
    last = page.at(-1)!.slug
  }
}

/** Reads which of some slugs the registry has. */
export async function findTenants(
  connection: Connection,
  registry: Registry,
  slugs: readonly string[],
): Promise<readonly Tenant[]> {
  return readPage(connection, registry, `${whereAll(conditionsOf(registry, { slugs }))}\norder by slug`)
}

/** The table of tenants, as SQL, whatever the search_path. */
export function tableOf({ table }: Registry): string {
  const parts = table.split('.')
  return (parts.length === 1 ? ['public', ...parts] : parts).map(quoteIdentifier).join('.')
}

async function readPage(connection: Connection, registry: Registry, rest: string): Promise<readonly Tenant[]> {
  const { server } = registry
  try {
    // Rows that a policy hides would be tenants that nobody migrates: this makes it an error.
    const rows = await connection.send(`set local search_path = pg_catalog, pg_temp;
set local row_security = off;
select ${slugOf(registry)} as slug${server === undefined ? '' : `, ${quoteIdentifier(server)}::text as server`}
from ${tableOf(registry)}
${rest}`)
    return rows.map((row) => ({
      slug: String(row['slug']),
      ...(typeof row['server'] === 'string' && { server: row['server'] }),
    }))
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '42P01' || code === '3F000') return []
    if (code !== '42703') throw error
    throw new DroverError(
      {
        code: 'CONFIG_INVALID',
        message: `the table of tenants, ${registry.table}, is not as "tenants.registry" says: ${String(error)}`,
        hint: 'correct "slug" and "server" in "tenants.registry" of its database.ts',
      },
      { cause: error },
    )
  }
}

/** Compared by bytes, so that the order is the same whatever the collation of the database. */
function slugOf({ slug }: Registry): string {
  return `(${quoteIdentifier(slug)}::text collate "C")`
}

function conditionsOf(registry: Registry, { slugs, match }: TenantFilter): readonly string[] {
  const slug = slugOf(registry)
  return [
    `${slug} is not null`,
    ...(slugs ? [`${slug} = any (${quoteArray(slugs, 'text')})`] : []),
    ...(match
      ? [`(${match.map((pattern) => `${slug} like ${quoteLiteral(toLike(pattern))} escape '!'`).join(' or ')})`]
      : []),
  ]
}

function whereAll(conditions: readonly string[]): string {
  return `where ${conditions.join(' and ')}`
}

/** `eu-*` → `eu-%`, with the wildcards of LIKE escaped by `!`. */
export function toLike(pattern: string): string {
  return pattern.replaceAll(/[!%_]/g, '!$&').replaceAll('*', '%').replaceAll('?', '_')
}
