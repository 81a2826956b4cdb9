import * as v from 'valibot'

import { type AccessConfig, type AccessOptions, accessSchema, fillInAccess, findRoleFaults } from './access.ts'
import { criticalSchema, type CriticalTable, findRepeatedTables } from './critical.ts'
import { describeIssue } from './describe-issue.ts'
import { databaseHooksSchema, type Hooks, type HooksConfig } from './hooks.ts'
import { type LintConfig, type LintOptions, lintSchema } from './lint.ts'
import { nameThat } from './name.ts'
import {
  fillInTenants,
  findTenantFaults,
  type TenantsConfig,
  type TenantsDeclaration,
  tenantsSchema,
} from './tenants.ts'

const kinds = [
  'aggregate',
  'cast',
  'collation',
  'composite type',
  'conversion',
  'default privileges',
  'domain',
  'enum',
  'event trigger',
  'extension',
  'foreign-data wrapper',
  'foreign table',
  'function',
  'language',
  'materialized view',
  'operator class',
  'operator family',
  'operator',
  'procedure',
  'publication',
  'range',
  'schema',
  'sequence',
  'server',
  'statistics',
  'table',
  'text search configuration',
  'text search dictionary',
  'type',
  'view',
]
const fields = {
  kind: v.optional(v.undefined('must be "external" or "snapshot", or left out')),
  name: nameThat('must be a string'),
  aliases: v.optional(v.array(nameThat('must be a name'), 'must be a list of names'), []),
  schema: v.optional(v.pipe(v.string('must be a path'), v.nonEmpty('must not be empty'))),
  migrations: v.optional(v.pipe(v.string('must be a path'), v.nonEmpty('must not be empty')), './migrations'),
  objects: v.optional(v.pipe(v.string('must be a path'), v.nonEmpty('must not be empty')), './objects'),
  after: v.optional(v.array(nameThat('must be the name of a database'), 'must be a list of database names'), []),
  url: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string('must be the name of a variable'),
          v.regex(/^[A-Z][A-Z0-9_]*_URL$/, 'must look like MAIN_DATABASE_URL'),
        ),
        'must be a list of environment variables',
      ),
      v.nonEmpty('must name at least one environment variable'),
    ),
  ),
  urlCommand: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string('must be text'),
          v.nonEmpty('must not be empty'),
          // It stands in the repository: what is secret is what it prints.
          v.check((word) => !/:\/\/[^/]*@/.test(word), 'must not hold a password'),
        ),
        'must be a program and its arguments',
      ),
      v.nonEmpty('must name a program'),
    ),
  ),
  database: v.optional(v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'))),
  protected: v.optional(v.boolean('must be true or false'), false),
  access: v.optional(accessSchema),
  critical: v.exactOptional(criticalSchema),
  hooks: v.exactOptional(databaseHooksSchema),
  lint: v.exactOptional(lintSchema),
  tenants: v.exactOptional(tenantsSchema),
  personalData: v.exactOptional(v.pipe(v.string('must be a path'), v.nonEmpty('must not be empty'))),
  foreign: v.optional(
    v.array(
      v.pipe(
        v.string('must be text'),
        v.regex(
          new RegExp(`^(?:${kinds.join('|')}) (?:[^*]+\\*?|\\*)$`),
          'must be a kind and a name, such as "schema topology" or "table public.spatial_*"',
        ),
      ),
      'must be a list of objects',
    ),
    [],
  ),
}
// Unlike a strict object, this one reports every unknown field, not the first alone.
const schema = v.objectWithRest(fields, v.never())
const externalSchema = v.objectWithRest(
  {
    kind: v.literal('external'),
    name: fields.name,
    aliases: fields.aliases,
    after: fields.after,
    url: fields.url,
    urlCommand: fields.urlCommand,
    database: fields.database,
    access: fields.access,
    critical: fields.critical,
    command: v.optional(
      v.pipe(
        v.array(
          v.pipe(
            v.string('must be a word of a command'),
            v.check((word) => !/:\/\/[^/]*@/.test(word), 'must not hold a URL: the command has it in DATABASE_URL'),
          ),
          'must be a list: a program and its arguments',
        ),
        v.nonEmpty('must name a program'),
      ),
    ),
    commandTimeout: v.optional(
      v.pipe(v.number('must be a number of seconds'), v.minValue(1, 'must be a number of seconds, at least 1')),
      600,
    ),
    managedBy: v.optional(v.pipe(v.string('must be a name'), v.nonEmpty('must not be empty'))),
  },
  v.never(),
)
const snapshotSchema = v.objectWithRest(
  {
    kind: v.literal('snapshot'),
    name: fields.name,
    mirrors: v.pipe(
      v.array(nameThat('must be the name of a database'), 'must be a list with the name of one database'),
      v.nonEmpty('must name the database whose history this one has'),
      v.maxLength(1, 'must name one database: several histories in one are not supported'),
    ),
    aliases: fields.aliases,
    after: fields.after,
    url: fields.url,
    urlCommand: fields.urlCommand,
    database: fields.database,
    protected: fields.protected,
    access: fields.access,
    hooks: fields.hooks,
    foreign: fields.foreign,
  },
  v.never(),
)

/** What `database.ts` declares about its database. Paths are relative to the file's folder. */
export interface DatabaseDeclaration {
  /** Left out: `external` is for databases that migrate themselves, `snapshot` for those that have the history of another. */
  readonly kind?: undefined
  /** The database's name on the command line and in every message; unique in the workspace. */
  readonly name: string
  /** Other names that the command line accepts for it. Default none. */
  readonly aliases?: readonly string[]
  /** Path of the Drizzle schema. Only the commands that compare schemas load it. */
  readonly schema?: string
  /** Path of the folder with the revisions. Default `./migrations`. */
  readonly migrations?: string
  /** Path of the folder with the objects that are declared as SQL files. Default `./objects`; it need not be there. */
  readonly objects?: string
  /** Names of the databases that are upgraded before this one, and downgraded after it. Default none. */
  readonly after?: readonly string[]
  /**
   * Environment variables that may hold its URL, the first that is set wins; each may also be given as `<VARIABLE>_FILE`.
   * Default `<NAME>_DATABASE_URL`.
   */
  readonly url?: readonly [string, ...string[]]
  /**
   * A program and its arguments that print the URL, such as `['op', 'read', 'op://prod/main/url']`. Run in the workspace's root,
   * without a shell, when none of the variables is set. Default none.
   */
  readonly urlCommand?: readonly [string, ...string[]]
  /** What the database is called on the embedded server. Default `name`. */
  readonly database?: string
  /** Whether a downgrade needs `--yes` even where nobody can be asked. Default `false`. */
  readonly protected?: boolean
  /**
   * The roles of the database, which `init` makes and `access` proves, and the extensions that `init` creates. `{}` takes all
   * the defaults. Default: roles and grants are nothing that Drover knows of.
   */
  readonly access?: AccessOptions
  /**
   * The tables that the application cannot live without, which `validate` and `start` look for: `users`, `audit.logs`, quoted
   * where SQL would. Default none.
   */
  readonly critical?: readonly string[]
  /** Files of SQL or TypeScript that run beside the revisions, whenever there are any to run. Default none. */
  readonly hooks?: Hooks
  /**
   * Path of the file that says of every column whether it holds personal data, what for, and for how long. Only `data-map`
   * and `check` load it. Needs a `schema`. Default: nothing is said.
   */
  readonly personalData?: string
  /**
   * Where its history is applied, if not to the database itself: to a schema or a database of each tenant, by `schemaPerTenant` or
   * `databasePerTenant`. Its URL is by default that of the database that lists them. Default: there are no tenants.
   */
  readonly tenants?: TenantsDeclaration
  /** From where on `lint` looks at the revisions, and by which rules it does not judge them. Default: all of them by all rules. */
  readonly lint?: LintOptions
  /**
   * What is in the database and none of its history's business, each as kind and name: `schema topology` (with all that is
   * in it), `table public.spatial_ref_sys`, `extension postgis`. A name may end in `*`. Default none.
   */
  readonly foreign?: readonly string[]
}

/** What `database.ts` declares about a database whose schema is another program's: it has no revisions. */
export interface ExternalDatabaseDeclaration extends Pick<
  DatabaseDeclaration,
  'name' | 'aliases' | 'after' | 'url' | 'urlCommand' | 'database' | 'access' | 'critical'
> {
  readonly kind: 'external'
  /**
   * The program that migrates it, and its arguments. Each `upgrade` to `head` runs it in the file's folder, without a shell,
   * with the database's URL in DATABASE_URL, and waits for it. Default: nothing is run, the program sees to it by itself.
   */
  readonly command?: readonly [string, ...string[]]
  /** How long the command may take, in seconds. Default 600. */
  readonly commandTimeout?: number
  /** Whose the schema is, for messages. Default: the command. */
  readonly managedBy?: string
}

/**
 * A database that has the history of another one: for tests, mostly. An empty one is made from the `schema.sql` beside its
 * `database.ts` in one go.
 */
export interface SnapshotDatabaseDeclaration extends Pick<
  DatabaseDeclaration,
  'name' | 'aliases' | 'after' | 'url' | 'urlCommand' | 'database' | 'protected' | 'access' | 'hooks' | 'foreign'
> {
  readonly kind: 'snapshot'
  /** The name of the database whose revisions this one has; that one has revisions of its own. */
  readonly mirrors: readonly [string]
}

/** What is known of a database that migrates itself. */
export interface ExternalConfig {
  /** Missing where nothing is run. */
  readonly command?: readonly [string, ...(readonly string[])]
  readonly commandTimeoutMs: number
  readonly managedBy: string
}

/** A declaration with its defaults filled in. */
export interface DatabaseConfig {
  readonly name: string
  readonly aliases: readonly string[]
  readonly schema: string | undefined
  readonly migrations: string
  readonly objects: string
  readonly after: readonly string[]
  readonly url: readonly string[]
  /** Missing where none is declared. */
  readonly urlCommand?: readonly string[]
  readonly database: string
  readonly protected: boolean
  /** Missing where none is declared. */
  readonly access?: AccessConfig
  /** Missing where none is declared. */
  readonly critical?: readonly CriticalTable[]
  /** Missing where none is declared. */
  readonly hooks?: HooksConfig
  /** Missing where none is declared. */
  readonly personalData?: string
  /** Missing for a database that is its own only target. */
  readonly tenants?: TenantsConfig
  /** Missing where nothing is declared. */
  readonly lint?: LintConfig
  readonly foreign: readonly string[]
  /** Missing for a database with revisions. */
  readonly external?: ExternalConfig
  /** The database whose revisions it has. Missing for one with revisions of its own. */
  readonly mirrors?: string
}

/** A valid configuration, or one line for each field that is wrong. */
export type ConfigResult =
  | { readonly ok: true; readonly config: DatabaseConfig }
  | { readonly ok: false; readonly faults: readonly string[] }

/** Validates what a `database.ts` exported. Unknown fields are faults: a misspelt option must not be ignored. */
export function parseDatabaseConfig(exported: unknown): ConfigResult {
  const kind: unknown = typeof exported === 'object' && exported !== null ? Reflect.get(exported, 'kind') : undefined
  if (kind === 'external') return parseExternal(exported)
  return kind === 'snapshot' ? parseSnapshot(exported) : parseOwn(exported)
}

function parseOwn(exported: unknown): ConfigResult {
  const result = v.safeParse(schema, exported)
  if (!result.success) return { ok: false, faults: result.issues.map(describe) }
  const { kind: _, name, url, urlCommand, database, access: declared, tenants: many, ...rest } = result.output
  const access = declared && fillInAccess(name, declared)
  const tenants = many && fillInTenants(many)
  const isIncomparable = rest.personalData !== undefined && rest.schema === undefined
  const faults = [
    ...(access ? findRoleFaults(access) : []),
    ...findRepeatedTables(rest.critical ?? []),
    ...(tenants ? findTenantFaults(tenants) : []),
    ...(tenants && access ? ['"access" is for a database of its own: the roles of tenants are in "tenants"'] : []),
    ...(isIncomparable ? ['"personalData" needs "schema", whose columns it is compared with'] : []),
  ]
  if (faults.length > 0) return { ok: false, faults }
  return {
    ok: true,
    config: {
      ...rest,
      name,
      ...(access && { access }),
      ...(tenants && { tenants }),
      schema: rest.schema,
      ...(urlCommand && { urlCommand }),
      url: url ?? [variableOf(name)],
      database: database ?? name,
    },
  }
}

function parseExternal(exported: unknown): ConfigResult {
  const result = v.safeParse(externalSchema, exported)
  if (!result.success) return { ok: false, faults: result.issues.map(describe) }
  const { kind: _, name, url, urlCommand, database, access: declared, ...more } = result.output
  const { command, commandTimeout, managedBy, ...rest } = more
  const access = declared && fillInAccess(name, declared)
  const faults = [...(access ? findRoleFaults(access) : []), ...findRepeatedTables(rest.critical ?? [])]
  if (faults.length > 0) return { ok: false, faults }
  const [program, ...words] = command ?? []
  return {
    ok: true,
    config: {
      ...rest,
      name,
      schema: undefined,
      migrations: './migrations',
      objects: './objects',
      url: url ?? [variableOf(name)],
      ...(urlCommand && { urlCommand }),
      ...(access && { access }),
      database: database ?? name,
      protected: false,
      foreign: [],
      external: {
        ...(program !== undefined && { command: [program, ...words] }),
        commandTimeoutMs: commandTimeout * 1000,
        managedBy: managedBy ?? command?.join(' ') ?? 'another program',
      },
    },
  }
}

function parseSnapshot(exported: unknown): ConfigResult {
  const result = v.safeParse(snapshotSchema, exported)
  if (!result.success) return { ok: false, faults: result.issues.map(describe) }
  const { kind: _, mirrors: names, name, url, urlCommand, database, access: declared, ...rest } = result.output
  const access = declared && fillInAccess(name, declared)
  const faults = access ? findRoleFaults(access) : []
  if (faults.length > 0) return { ok: false, faults }
  return {
    ok: true,
    config: {
      ...rest,
      name,
      schema: undefined,
      migrations: './migrations',
      objects: './objects',
      url: url ?? [variableOf(name)],
      ...(urlCommand && { urlCommand }),
      ...(access && { access }),
      database: database ?? name,
      mirrors: names[0]!,
    },
  }
}

function variableOf(name: string): string {
  return `${name.replaceAll('-', '_').toUpperCase()}_DATABASE_URL`
}

function describe(issue: v.BaseIssue<unknown>): string {
  return describeIssue(issue, 'defineDatabase')
}
