import type { RoleKind } from './declare.ts'

/** What a role can be tried for. `ddl` is creating tables and schemas, `drover` is reading or writing Drover's own tables. */
export type Check = 'connect' | 'select' | 'insert' | 'update' | 'delete' | 'ddl' | 'drover'

/** The checks, in the order in which they are shown. */
export const checks: readonly Check[] = ['connect', 'select', 'insert', 'update', 'delete', 'ddl', 'drover']

const allowed: Readonly<Record<RoleKind, ReadonlySet<Check>>> = {
  owner: new Set(checks),
  app: new Set(['connect', 'select', 'insert', 'update', 'delete']),
  readonly: new Set(['connect', 'select']),
}

/**
 * Whether a role is to be able to do something.
 * @param own whether it is in the role's own database; in another one nothing is allowed
 */
export function isExpected(kind: RoleKind, own: boolean, check: Check): boolean {
  return own && allowed[kind].has(check)
}
