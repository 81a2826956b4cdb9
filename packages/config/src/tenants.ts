import * as v from 'valibot'

import { nameThat } from './name.ts'

/** Where the tenants are listed: a table of another database of the workspace. */
export interface RegistryOptions {
  /** The database that has the table. Default `main`. */
  readonly database?: string
  /** The table, with its schema where that is not `public`. Default `tenants`. */
  readonly table?: string
  /** Its column with the slug, of which names are made. Default `slug`. */
  readonly slug?: string
  /** Its column that says on which of `servers` a tenant is. Only together with those. */
  readonly server?: string
  /**
   * What a new row is given besides the slug, by column; `{slug}` stands for that. `tenant create --set` adds to it. Default none.
   */
  readonly defaults?: Readonly<Record<string, string>>
}

interface TenantOptions {
  /** Default: the table `tenants` of the database `main`. */
  readonly registry?: RegistryOptions
  /**
   * Where tenants are, if not all in one place: environment variables with URLs, by the name that `registry.server` holds. Default: all
   * are where the database's own URL leads.
   */
  readonly servers?: Readonly<Record<string, string>>
  /** How many connections to one server work on tenants at the same time, 1 to 16. Default 4. */
  readonly connections?: number
  /** What the role of a tenant is called, which sees nothing but that tenant; `{slug}` stands for its slug. Default: there is none. */
  readonly role?: string
  /** Roles that read and write the rows of all tenants. Default none. */
  readonly app?: readonly string[]
  /** Roles that read the rows of all tenants. Default none. */
  readonly readonly?: readonly string[]
}

/** Options of `schemaPerTenant`. */
export interface SchemaPerTenantOptions extends TenantOptions {
  /** What the schema of a tenant is called; `{slug}` stands for its slug. Default `tenant_{slug}`. */
  readonly schema?: string
  /** Schemas that all tenants share: their SQL finds what is in them, behind what is the tenant's own. Default none. */
  readonly shared?: readonly string[]
}

/** Options of `databasePerTenant`. */
export interface DatabasePerTenantOptions extends TenantOptions {
  /** What the database of a tenant is called; `{slug}` stands for its slug. Default `tenant_{slug}`. */
  readonly database?: string
}

/** What `tenants` in `database.ts` may hold. */
export type TenantsDeclaration =
  | ({ readonly kind: 'schema' } & SchemaPerTenantOptions)
  | ({ readonly kind: 'database' } & DatabasePerTenantOptions)

/** Tenants with their defaults filled in. */
export interface TenantsConfig {
  /** What a tenant has of its own: a schema, or a database. */
  readonly kind: 'schema' | 'database'
  /** What that is called; `{slug}` stands for the tenant's slug. */
  readonly name: string
  readonly registry: {
    readonly database: string
    readonly table: string
    readonly slug: string
    readonly server?: string
    readonly defaults: Readonly<Record<string, string>>
  }
  /** Missing where all tenants are in one place. */
  readonly servers?: Readonly<Record<string, string>>
  readonly connections: number
  /** Missing where tenants have no roles of their own. */
  readonly role?: string
  readonly app: readonly string[]
  readonly readonly: readonly string[]
  readonly shared: readonly string[]
}

const template = v.pipe(
  v.string('must be a name with {slug} in it'),
  v.regex(/^[a-z_][a-z0-9_-]*\{slug\}[a-z0-9_-]*$/, 'must be lower-case letters, digits, "-" and "_" around {slug}'),
)
const column = v.pipe(v.string('must be the name of a column'), v.regex(/^[a-z_][a-z0-9_]*$/, 'must be a column'))
const roles = v.optional(v.array(nameThat('must be the name of a role'), 'must be a list of roles'), [])
const commonEntries = {
  registry: v.optional(
    v.objectWithRest(
      {
        database: v.optional(nameThat('must be the name of a database'), 'main'),
        table: v.optional(
          v.pipe(v.string('must be a table'), v.regex(/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/, 'must be a table')),
          'tenants',
        ),
        slug: v.optional(column, 'slug'),
        server: v.exactOptional(column),
        defaults: v.optional(v.record(column, v.string('must be text'), 'must be texts by column'), {}),
      },
      v.never(),
      'must say which table lists the tenants',
    ),
    {},
  ),
  servers: v.exactOptional(
    v.record(
      v.string(),
      v.pipe(
        v.string('must be the name of a variable'),
        v.regex(/^[A-Z][A-Z0-9_]*_URL$/, 'must look like TENANT_EU_URL'),
      ),
      'must be environment variables by the name of a server',
    ),
  ),
  connections: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.integer('must be a whole number'),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(16, 'must be at most 16'),
    ),
    4,
  ),
  role: v.exactOptional(template),
  app: roles,
  readonly: roles,
}

/** What `tenants` in `database.ts` may hold. */
export const tenantsSchema = v.variant(
  'kind',
  [
    v.objectWithRest(
      {
        kind: v.literal('schema'),
        ...commonEntries,
        schema: v.optional(template, 'tenant_{slug}'),
        shared: v.optional(v.array(nameThat('must be a schema'), 'must be a list of schemas'), []),
      },
      v.never(),
    ),
    v.objectWithRest(
      { kind: v.literal('database'), ...commonEntries, database: v.optional(template, 'tenant_{slug}') },
      v.never(),
    ),
  ],
  'must be schemaPerTenant({ … }) or databasePerTenant({ … })',
)

/** Tenants with their defaults filled in. */
export function fillInTenants(declared: v.InferOutput<typeof tenantsSchema>): TenantsConfig {
  const { registry, servers, connections, role, app, readonly } = declared
  const common = {
    registry,
    connections,
    ...(servers && { servers }),
    ...(role !== undefined && { role }),
    app,
    readonly,
  }
  return declared.kind === 'schema'
    ? { kind: 'schema', name: declared.schema, ...common, shared: declared.shared }
    : { kind: 'database', name: declared.database, ...common, shared: [] }
}

/** What is wrong with tenants as a whole. */
export function findTenantFaults({ registry, servers }: TenantsConfig): readonly string[] {
  if ((registry.server === undefined) === (servers === undefined)) return []
  const [given, missing] = servers ? ['servers', 'registry.server'] : ['registry.server', 'servers']
  return [`"tenants.${given}" needs "tenants.${missing}": one says where the servers are, the other who is on which`]
}
