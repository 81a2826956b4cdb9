import { DroverError, type Problem } from '@drover/history'

import type { TenantFailure } from './outcome.ts'
import type { TenantPlan, TenantsWish } from './planner.ts'
import { findTenants, type TenantFilter } from './registry.ts'
import type { TenantSurvey } from './survey.ts'
import { TenantReader, type TenantSet } from './tenant-set.ts'

/** How many names are kept of a group of which not all are asked for. */
const mostNamed = 20

/** How many tenants are read at a time. */
const pageSize = 20_000

/**
 * Looks at how tenants stand: two queries for ten thousand of them, and a few for each state that is not like another.
 * @param options.all whether all names are kept. Default `false`: memory does not grow with the number of tenants
 * @throws {DroverError} `TENANT_UNKNOWN` for slugs that nobody has
 */
export async function surveyTenants(
  set: TenantSet,
  wish: TenantsWish,
  filter: TenantFilter,
  options: { readonly all?: boolean } = {},
): Promise<TenantSurvey> {
  await refuseUnknown(set, filter)
  const groups = new Map<TenantPlan, { count: number; readonly slugs: string[]; readonly targets: string[] }>()
  const unread = new Map<string, { count: number; readonly problem: Problem }>()
  const unusable: TenantFailure[] = []
  let total = 0
  for await (const page of new TenantReader(set, wish).pages(filter, pageSize)) {
    unusable.push(...page.unusable)
    total += page.unusable.length
    for (const { tenants, plan } of page.groups) {
      const group = groups.get(plan) ?? { count: 0, slugs: [], targets: [] }
      groups.set(plan, group)
      const named = options.all ? tenants : tenants.slice(0, mostNamed - group.slugs.length)
      group.slugs.push(...named.map(({ slug }) => slug))
      group.targets.push(...named.map(({ target }) => target))
      group.count += tenants.length
      total += tenants.length
    }
    for (const { host, tenants, problem } of page.unread) {
      const before = unread.get(host.name) ?? { count: 0, problem }
      before.count += tenants.length
      unread.set(host.name, before)
      total += tenants.length
    }
  }
  return {
    total,
    groups: [...groups].map(([plan, group]) => ({ plan, status: plan.status, ...group })),
    unusable,
    unread: [...unread].map(([server, one]) => ({ server, ...one })),
  }
}

/** A slug that was typed wrong must not pass for a tenant that is up to date. @throws {DroverError} `TENANT_UNKNOWN` */
export async function refuseUnknown({ registry, config, about }: TenantSet, { slugs }: TenantFilter): Promise<void> {
  if (!slugs) return
  const found = new Set((await findTenants(registry, config.registry, slugs)).map(({ slug }) => slug))
  const unknown = slugs.filter((slug) => !found.has(slug))
  if (unknown.length === 0) return
  throw new DroverError({
    code: 'TENANT_UNKNOWN',
    database: about.database.name,
    message: `there is no tenant ${unknown.map((slug) => JSON.stringify(slug)).join(', ')}`,
    hint: `see who there is with: pnpm migrate tenant list; or make one: pnpm migrate tenant create ${unknown[0]}`,
  })
}
