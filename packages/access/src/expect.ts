import type { RoleKind } from './declare.ts'

/** What can be tried on one table or view. */
export type TableCheck = 'select' | 'insert' | 'update' | 'delete' | 'truncate'

/**
 * What a role can be tried for. `ddl` is creating schemas, tables and temporary tables, and hanging foreign keys and triggers on the
 * tables of others; `drover` is reading or writing Drover's own tables.
 */
export type Check = 'connect' | TableCheck | 'ddl' | 'drover'

/** The checks of a table, in the order in which they are shown. */
export const tableChecks: readonly TableCheck[] = ['select', 'insert', 'update', 'delete', 'truncate']

/** The checks, in the order in which they are shown. */
export const checks: readonly Check[] = ['connect', ...tableChecks, 'ddl', 'drover']

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
