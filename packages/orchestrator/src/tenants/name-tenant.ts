import type { TenantsConfig } from '@drover/config'
import { DroverError } from '@drover/history'

import type { Tenant } from './registry.ts'

/** A tenant with what its schema or its database is called. */
export interface NamedTenant extends Tenant {
  readonly target: string
}

/**
 * Finds out what the schema or the database of a tenant is called. Slugs come from outside: what is more than letters, digits,
 * "-" and "_" is not made a name of, be it quoted or not, and nothing is cut off, so that no two tenants can have the same.
 * @throws {DroverError} `TENANT_INVALID`
 */
export function nameTenant(
  config: Pick<TenantsConfig, 'name' | 'kind' | 'role' | 'servers'>,
  tenant: Tenant,
): NamedTenant {
  const { slug, server } = tenant
  if (!slugForm.test(slug)) {
    throw invalid(
      `the slug ${JSON.stringify(slug)} cannot be part of a name`,
      'a slug has lower-case letters, digits, "-" and "_", and begins with a letter or a digit',
    )
  }
  const target = fillIn(config.name, slug)
  // Roles that are cut off to the same name would see each other's rows.
  const role = roleOf(config, slug) ?? ''
  const longest = role.length > target.length ? role : target
  if (longest.length > mostBytes) {
    throw invalid(
      `the name ${longest} has ${longest.length} bytes, and PostgreSQL keeps ${mostBytes} of a name`,
      `choose a slug of at most ${mostBytes - longest.length + slug.length} characters`,
    )
  }
  if (config.servers && (server === undefined || !Object.hasOwn(config.servers, server))) {
    throw invalid(
      server === undefined
        ? `the tenant ${slug} is on no server`
        : `the tenant ${slug} is on ${JSON.stringify(server)}, which is none of the servers`,
      `the servers are: ${Object.keys(config.servers).join(', ')}`,
    )
  }
  return { ...tenant, target }
}

/** What the role of a tenant is called; `undefined` where tenants have none. */
export function roleOf({ role }: Pick<TenantsConfig, 'role'>, slug: string): string | undefined {
  return role === undefined ? undefined : fillIn(role, slug)
}

/** A name that is made of a slug. */
export function fillIn(template: string, slug: string): string {
  return template.replaceAll('{slug}', slug)
}

const slugForm = /^[a-z0-9][a-z0-9_-]*$/

/** NAMEDATALEN - 1, which nobody changes. A name of these letters has as many bytes as characters. */
const mostBytes = 63

function invalid(message: string, hint: string): DroverError {
  return new DroverError({ code: 'TENANT_INVALID', message, hint })
}
