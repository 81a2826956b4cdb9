/** SQL: an object does not belong to an extension. `id` is an SQL expression for its oid. */
export function isNotOfExtension(catalog: string, id: string): string {
  return hasNoDependency(catalog, id, 'e')
}

/** SQL: an object was not made by PostgreSQL along with another, as the constructors of a range are. */
export function isNotInternal(catalog: string, id: string): string {
  return hasNoDependency(catalog, id, 'i')
}

function hasNoDependency(catalog: string, id: string, kind: 'e' | 'i'): string {
  return `not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${id} and deptype = '${kind}')`
}
