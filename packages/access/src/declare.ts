import { DroverError, type Problem } from '@drover/history'

/** What a role of a database is for: it runs the revisions, it is the application's, it only reads. */
export type RoleKind = 'owner' | 'app' | 'readonly'

/** The kinds, in the order in which they are shown. */
export const roleKinds: readonly RoleKind[] = ['owner', 'app', 'readonly']

/** The roles and extensions that a `database.ts` declares. */
export interface DeclaredAccess {
  /** The database's name in the workspace. */
  readonly name: string
  readonly roles: Readonly<Record<RoleKind, string>>
  readonly extensions: readonly string[]
  /** Whether the owner is to make roles: those of tenants. Default `false`. */
  readonly makesRoles?: boolean
}

/** What one database is to be like. */
export interface WantedAccess extends DeclaredAccess {
  /** What the database is called on its server. */
  readonly database: string
  /** The roles of the other databases, which have no business in this one. */
  readonly strangers: readonly string[]
}

/**
 * What a database is to be like, given what is declared for all of them.
 * @param database what it is called on its server
 * @throws {DroverError} `CONFIG_INVALID` when two databases share a role: each would reach the other
 */
export function wantedAccess(declared: DeclaredAccess, database: string, all: readonly DeclaredAccess[]): WantedAccess {
  const others = all.filter((other) => other.name !== declared.name)
  const own = Object.values(declared.roles)
  const shared = others.flatMap((other) =>
    Object.values(other.roles)
      .filter((role) => own.includes(role))
      .map((role) => sharedRole(role, declared, other)),
  )
  const [first, ...rest] = shared
  if (first) throw new DroverError([first, ...rest])
  return { ...declared, database, strangers: others.flatMap((other) => Object.values(other.roles)) }
}

function sharedRole(role: string, one: DeclaredAccess, other: DeclaredAccess): Problem {
  return {
    code: 'CONFIG_INVALID',
    database: one.name,
    message: `${one.name} and ${other.name} have the same role, ${role}, which would reach both`,
    hint: `name another one as "access" in the database.ts of ${other.name}`,
  }
}
