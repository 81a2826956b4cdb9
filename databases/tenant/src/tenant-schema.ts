const prefix = 'tenant_'

/** What PostgreSQL keeps of a name. It cuts off the rest, and two tenants would share one schema. */
const longestName = 63

/**
 * The name of a tenant's schema, `tenant_<slug>`, as it stands in the catalog. In SQL it needs quotes, for the hyphen
 * that a slug may have.
 *
 * Throws a `TypeError` for what is no slug: 1 to 56 lower-case letters, digits, `-` and `_`, beginning with a letter or
 * digit.
 */
export function schemaOfTenant(slug: string): string {
  const schema = `${prefix}${slug}`
  if (/^[a-z0-9][a-z0-9_-]*$/.test(slug) && schema.length <= longestName) return schema
  const most = longestName - prefix.length
  throw new TypeError(
    `${JSON.stringify(slug)} is not the slug of a tenant: expected 1 to ${most} lower-case letters, digits, "-" ` +
      'and "_", beginning with a letter or digit',
  )
}
