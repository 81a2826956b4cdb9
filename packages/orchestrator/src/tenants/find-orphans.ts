import { nameTenant, type NamedTenant } from './name-tenant.ts'
import { readTenants } from './registry.ts'
import type { TenantSet } from './tenant-set.ts'

/** Something that belongs to no tenant. */
export interface Orphan {
  /** Empty where there is but one. */
  readonly server: string
  readonly target: string
}

/** Finds what revisions were applied to, and no tenant is listed for: a `create` or a `drop` that was cut off, or a row that somebody has deleted. */
export async function findOrphans(set: TenantSet): Promise<readonly Orphan[]> {
  const known: NamedTenant[] = []
  for await (const page of readTenants(set.registry, set.config.registry, {}, 10_000)) {
    for (const tenant of page) {
      try {
        known.push(nameTenant(set.config, tenant))
      } catch {
        // Nothing can have been made for it.
      }
    }
  }
  const found = await Promise.all(
    set.hosts.map(async (host) => {
      const targets = await host.findOrphans(known.filter((tenant) => set.hostOf(tenant) === host)).catch(() => [])
      return targets.map((target) => ({ server: host.name, target }))
    }),
  )
  return found.flat()
}
