import * as v from 'valibot'

const nameThat = (must: string) =>
  v.pipe(
    v.string(must),
    v.regex(
      /^[a-z][a-z0-9_-]{0,62}$/,
      'must be at most 63 lower-case letters, digits, "-" and "_", starting with a letter',
    ),
  )
/** What `foreign` may name, as `drift` calls it. */
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
  database: v.optional(v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'))),
  protected: v.optional(v.boolean('must be true or false'), false),
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

/** What `database.ts` declares about its database. Paths are relative to the file's folder. */
export interface DatabaseDeclaration {
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
  /** What the database is called on the embedded server. Default `name`. */
  readonly database?: string
  /** Whether a downgrade needs `--yes` even where nobody can be asked. Default `false`. */
  readonly protected?: boolean
  /**
   * What is in the database and none of its history's business, each as kind and name: `schema topology` (with all that is
   * in it), `table public.spatial_ref_sys`, `extension postgis`. A name may end in `*`. Default none.
   */
  readonly foreign?: readonly string[]
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
  readonly database: string
  readonly protected: boolean
  readonly foreign: readonly string[]
}

/** Declares a database package: the default export of its `database.ts`. Checks types only; Drover validates on load. */
export function defineDatabase(declaration: DatabaseDeclaration): DatabaseDeclaration {
  return declaration
}

/** A valid configuration, or one line for each field that is wrong. */
export type ConfigResult =
  | { readonly ok: true; readonly config: DatabaseConfig }
  | { readonly ok: false; readonly faults: readonly string[] }

/** Validates what a `database.ts` exported. Unknown fields are faults: a misspelt option must not be ignored. */
export function parseDatabaseConfig(exported: unknown): ConfigResult {
  const result = v.safeParse(schema, exported)
  if (!result.success) return { ok: false, faults: result.issues.map(describeIssue) }
  const { name, url, database, ...rest } = result.output
  return {
    ok: true,
    config: {
      ...rest,
      name,
      schema: rest.schema,
      url: url ?? [`${name.replaceAll('-', '_').toUpperCase()}_DATABASE_URL`],
      database: database ?? name,
    },
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue)
  if (field === null) return `the default export must be defineDatabase({ … }), and is ${describeReceived(issue)}`
  if (issue.expected === 'never') return `"${field}" is not an option`
  if (issue.received === 'undefined') return `"${field}" is missing`
  // What is empty has a length of 0 for its received value, which says nothing.
  if (issue.type === 'non_empty') return `"${field}" ${issue.message}`
  return `"${field}" ${issue.message}, and is ${describeReceived(issue)}`
}

/** The value that was found, unless it may hold a password: a URL in the wrong place must not end up in a log. */
function describeReceived(issue: v.BaseIssue<unknown>): string {
  return /:\/\/|@|=/.test(issue.received) ? 'a connection string, which belongs in the environment' : issue.received
}
