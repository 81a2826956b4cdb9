import * as v from 'valibot'

import { nameThat } from './name.ts'

/** The roles of a database. No two databases of a workspace may share one. */
export interface AccessOptions {
  /** The role that owns the database and runs its revisions; the database's URL logs in as it. Default `<name>_owner`. */
  readonly owner?: string
  /** The role of the application, which reads and writes rows. Default `<name>_app`. */
  readonly app?: string
  /** The role that only reads. Default `<name>_readonly`. */
  readonly readonly?: string
  /** Extensions that the database is to have. Default none. */
  readonly extensions?: readonly string[]
}

/** The roles of a database with their defaults filled in. */
export interface AccessConfig {
  readonly owner: string
  readonly app: string
  readonly readonly: string
  readonly extensions: readonly string[]
}

const roleName = v.pipe(
  nameThat('must be the name of a role'),
  v.regex(/^(?!pg_)/, 'must not start with "pg_", which PostgreSQL keeps for itself'),
  // In a grant, "public" is everybody, quoted or not.
  v.regex(/^(?!(?:public|none)$)/, 'must not be "public" or "none", which PostgreSQL keeps for itself'),
)
/** What `access` in `database.ts` may hold. */
export const accessSchema = v.objectWithRest(
  {
    owner: v.optional(roleName),
    app: v.optional(roleName),
    readonly: v.optional(roleName),
    extensions: v.optional(v.array(nameThat('must be the name of an extension'), 'must be a list of extensions'), []),
  },
  v.never(),
  'must be the roles of the database',
)

/** The roles of a database, called after it where nothing is said. */
export function fillInAccess(
  name: string,
  { owner, app, readonly, extensions }: v.InferOutput<typeof accessSchema>,
): AccessConfig {
  return {
    owner: owner ?? `${name}_owner`,
    app: app ?? `${name}_app`,
    readonly: readonly ?? `${name}_readonly`,
    extensions,
  }
}

/** What is wrong with roles as a whole: names that the server would cut, or one for two roles. */
export function findRoleFaults({ owner, app, readonly }: AccessConfig): readonly string[] {
  const roles = Object.entries({ owner, app, readonly })
  // A longer name would be cut off by the server, and be another one.
  const long = roles.filter(([, role]) => role.length > 63)
  return [
    ...long.map(([field, role]) => `"access.${field}" must be at most 63 characters, and is ${role}`),
    ...(new Set([owner, app, readonly]).size < 3 ? ['"access" must name three different roles'] : []),
  ]
}
