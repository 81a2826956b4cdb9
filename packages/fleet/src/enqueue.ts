import { DroverError, formatTarget, type Problem, resolvePlace, type Target } from '@drover/history'
import type { TenantFailure, TenantFilter } from '@drover/orchestrator'
import { refuseUnknown, TenantReader, type TenantSet } from '@drover/orchestrator/tenants'

import type { Enqueued, Queue } from './queue.ts'

/** Which tenants are to be taken where. */
export interface EnqueueWish {
  readonly target: Target
  readonly filter: TenantFilter
  /** How many go first on each server. */
  readonly canaries: number
}

/** What was put into the queue, of which tenants. */
export interface Enqueuing extends Enqueued {
  readonly revisions: readonly string[]
  /** How many tenants were looked at. */
  readonly total: number
  /** How many of them have all that is asked for. */
  readonly upToDate: number
  /** Those of whom nothing can be made, or for whom nothing can be done. */
  readonly unusable: readonly TenantFailure[]
  /** Servers that could not be asked, with how many tenants are there. */
  readonly unread: readonly { readonly server: string; readonly count: number; readonly problem: Problem }[]
}

/** How many tenants are looked at at a time. */
const pageSize = 10_000

/**
 * Puts all tenants into the queue that lack something.
 * @throws {DroverError} `TARGET_INVALID` for a target that is not the same for all of them, `TENANT_UNKNOWN`, and what the queue has
 * against it
 */
export async function enqueueTenants(
  set: TenantSet,
  queue: Queue,
  { target, filter, canaries }: EnqueueWish,
): Promise<Enqueuing> {
  const revisions = revisionsOf(set, target)
  await refuseUnknown(set, filter)
  const tenants: { readonly slug: string; readonly server: string }[] = []
  const unusable: TenantFailure[] = []
  const unread: Enqueuing['unread'][number][] = []
  let upToDate = 0
  for await (const page of new TenantReader(set, { direction: 'up', target }).pages(filter, pageSize)) {
    unusable.push(...page.unusable)
    unread.push(
      ...page.unread.map((one) => ({ server: one.host.name, count: one.tenants.length, problem: one.problem })),
    )
    for (const { host, plan, tenants: own } of page.groups) {
      if (plan.kind === 'steps') tenants.push(...own.map(({ slug }) => ({ slug, server: host.name })))
      else upToDate += own.length
    }
  }
  const sorted = tenants.toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
  const added = await queue.add({ revisions, tenants: sorted, canaries })
  const notRead = unread.reduce((sum, { count }) => sum + count, 0)
  const total = tenants.length + upToDate + unusable.length + notRead
  return { ...added, revisions, total, upToDate, unusable, unread }
}

/** The revisions that a target names, whatever a tenant has had: jobs are for machines whose files may be others. */
function revisionsOf({ about }: TenantSet, target: Target): readonly string[] {
  const place = resolvePlace(about.history, target)
  if (!place.ok) throw new DroverError({ ...place.problem, database: about.database.name })
  if (place.ids.length > 0) return place.ids
  throw new DroverError({
    code: 'TARGET_INVALID',
    database: about.database.name,
    message: `"${formatTarget(target)}" names no revision that tenants could be taken to`,
    hint: 'name one, a label or head',
  })
}
