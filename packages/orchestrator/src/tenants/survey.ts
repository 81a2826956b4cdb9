import type { Problem } from '@drover/history'

import type { Status } from '../release/status.ts'
import type { TenantFailure } from './outcome.ts'
import type { TenantPlan, TenantsWish } from './planner.ts'
import type { TenantFilter } from './registry.ts'

/** How the tenants of a database stand, and what is to be done for them. */
export interface TenantsPlan {
  readonly wish: TenantsWish
  readonly filter: TenantFilter
  readonly survey: TenantSurvey
}

/** How tenants stand. */
export interface TenantSurvey {
  readonly total: number
  readonly groups: readonly SurveyGroup[]
  /** Those of whom nothing can be made, or for whom nothing can be done. */
  readonly unusable: readonly TenantFailure[]
  /** Servers that could not be asked, with how many tenants are there. */
  readonly unread: readonly { readonly server: string; readonly count: number; readonly problem: Problem }[]
}

/** Tenants that have had the same revisions, wherever they are. */
export interface SurveyGroup {
  readonly plan: TenantPlan
  readonly status: Status
  readonly count: number
  /** The first of them, or all where all were asked for. */
  readonly slugs: readonly string[]
  /** What their schemas or databases are called, in the same order. */
  readonly targets: readonly string[]
}

/** Whether anything is to be done for any tenant, or may be: what could not be looked at counts, and so does what is wrong. */
export function isBusy({ groups, unusable, unread }: TenantSurvey): boolean {
  return groups.some(({ plan }) => plan.kind === 'steps') || unusable.length > 0 || unread.length > 0
}

/**
 * The revisions that were edited after tenants have had them, each as a problem of all tenants: those that have not would get something
 * else than those that have.
 */
export function findEditedForAll({ unusable }: TenantSurvey): readonly Problem[] {
  const edited = unusable.filter(({ problem }) => problem.code === 'APPLIED_EDITED')
  const byRevision = Map.groupBy(edited, ({ problem }) => problem.revision)
  return [...byRevision.values()].map((failures) => {
    const { slug, problem } = failures[0]!
    const others = failures.length === 1 ? '' : ` and ${failures.length - 1} more`
    return {
      ...problem,
      message: `${problem.message} to ${slug}${others}`,
      tenants: failures.slice(0, mostNamed).map((failure) => failure.slug),
    }
  })
}

/** At most so many tenants are part of a problem. */
const mostNamed = 10

/** For how many tenants there is something to do. */
export function countBehind({ groups }: TenantSurvey): number {
  return groups.reduce((sum, { plan, count }) => sum + (plan.kind === 'steps' ? count : 0), 0)
}
