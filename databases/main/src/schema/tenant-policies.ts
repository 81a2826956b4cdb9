import { sql } from 'drizzle-orm'
import { pgPolicy } from 'drizzle-orm/pg-core'

/**
 * Policies that keep the rows of `table` within the tenant named by `app.current_tenant_id`, for all four commands.
 *
 * They are restrictive, a condition on top of whatever permissive policy lets a command through: a permissive policy
 * that is added later widens what one may do, never whose rows one sees. On their own they grant nothing. With the
 * setting unset or empty no row matches. The migration also forces them on the owner, which Drizzle cannot say.
 */
export function tenantPolicies(table: string) {
  return [
    pgPolicy(`${table}_tenant_select`, { as: 'restrictive', for: 'select', using: ofCurrentTenant() }),
    pgPolicy(`${table}_tenant_insert`, { as: 'restrictive', for: 'insert', withCheck: ofCurrentTenant() }),
    pgPolicy(`${table}_tenant_update`, {
      as: 'restrictive',
      for: 'update',
      using: ofCurrentTenant(),
      withCheck: ofCurrentTenant(),
    }),
    pgPolicy(`${table}_tenant_delete`, { as: 'restrictive', for: 'delete', using: ofCurrentTenant() }),
  ]
}

/** A permissive policy for the restrictive ones to narrow: privileges say who may do what, the tenant on which rows. */
export function openPolicy(table: string) {
  return pgPolicy(`${table}_access`, { as: 'permissive', for: 'all', using: sql`true`, withCheck: sql`true` })
}

function ofCurrentTenant() {
  return sql`tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid`
}
