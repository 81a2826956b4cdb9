import { DroverError } from '@drover/history'

import type { Host } from './host.ts'
import { nameTenant, type NamedTenant } from './name-tenant.ts'
import { findTenants, tableOf } from './registry.ts'
import type { TenantSet } from './tenant-set.ts'
import { quoteIdentifier, quoteLiteral } from '@drover/engine'

/** A tenant that is to be dropped, and what goes with it. */
export interface DoomedTenant {
  readonly tenant: NamedTenant
  readonly host: Host
  /** Whether the registry has a row of it. */
  readonly hasRow: boolean
  /** Its tables with how many rows they have; `undefined` where there is no schema or database of it. */
  readonly tables: readonly { readonly name: string; readonly rows: number }[] | undefined
}

/**
 * Looks at what there is of a tenant: perhaps a row without a schema, or a schema without a row.
 * @throws {DroverError} `TENANT_UNKNOWN` when there is nothing
 */
export async function lookAtTenant(set: TenantSet, slug: string): Promise<DoomedTenant> {
  const { config, registry, about } = set
  const [row] = await findTenants(registry, config.registry, [slug])
  const only = config.servers && Object.keys(config.servers).length === 1 ? Object.keys(config.servers)[0] : undefined
  const tenant = nameTenant(config, row ?? { slug, ...(only !== undefined && { server: only }) })
  const host = set.hostOf(tenant)
  const tables = await host.countRows(tenant)
  if (row || tables) return { tenant, host, hasRow: row !== undefined, tables }
  throw new DroverError({
    code: 'TENANT_UNKNOWN',
    database: about.database.name,
    message: `there is no tenant ${JSON.stringify(slug)}: no row, and nothing called ${tenant.target}`,
    hint: 'see who there is with: pnpm migrate tenant list',
  })
}

/**
 * Drops a tenant: its row first, so that nobody looks for what is about to go. Cut off in between, it leaves a schema or a database that
 * the same command finds.
 * @throws {DroverError} `LOCKED` when somebody is at work on it, and then nothing has changed
 */
export async function dropTenant(
  { config, registry }: TenantSet,
  { tenant, host, hasRow }: DoomedTenant,
): Promise<void> {
  await host.refuseBusy(tenant)
  if (hasRow) {
    await registry.send(
      `delete from ${tableOf(config.registry)} where ${quoteIdentifier(config.registry.slug)} = ${quoteLiteral(tenant.slug)}`,
    )
  }
  await host.drop(tenant)
}
