/** SQL: an object does not belong to an extension. `id` is an SQL expression for its oid. */
export function isNotOfExtension(catalog: string, id: string): string {
  // The server has to look at what depends on extensions, and not at every dependency of a large database.
  return hasNoDependency(catalog, id, `refclassid = 'pg_extension'::regclass and deptype = 'e'`)
}

/** SQL: an object was not made by PostgreSQL along with another, as the constructors of a range are. */
export function isNotInternal(catalog: string, id: string): string {
  return hasNoDependency(catalog, id, `deptype = 'i'`)
}

function hasNoDependency(catalog: string, id: string, kind: string): string {
  return `not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${id} and ${kind})`
}
