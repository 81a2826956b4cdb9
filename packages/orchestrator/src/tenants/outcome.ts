import type { Problem } from '@drover/history'

import type { NamedTenant } from './name-tenant.ts'

/** A tenant that did not get where it was to be, and why. */
export interface TenantFailure {
  readonly slug: string
  /** Its schema, or its database; the slug where no name can be made of it. */
  readonly target: string
  /** Empty where there is but one. */
  readonly server: string
  readonly problem: Problem
}

/** How many tenants of a server ended in which way. */
export interface TenantCounts {
  /** Nothing was to be done. */
  readonly settled: number
  readonly done: number
  readonly failed: number
  /** Locks or connections were not to be had for as long as it was tried. */
  readonly waiting: number
  readonly notTried: number
}

/** How one server went. */
export interface ServerOutcome extends TenantCounts {
  /** Empty where there is but one. */
  readonly name: string
  /** Why nothing more was tried on it, when it was not to be reached any more. */
  readonly problem?: Problem
}

/** How it went on all tenants. */
export interface TenantsOutcome {
  readonly servers: readonly ServerOutcome[]
  /** How many revisions were applied or reverted, over all tenants. */
  readonly revisions: number
  readonly failed: readonly TenantFailure[]
  readonly waiting: readonly TenantFailure[]
  /** What kept the rest from being tried. */
  readonly stoppedBy?: Problem
  readonly isInterrupted: boolean
}

/** What happens while tenants are worked on. */
export type TenantsEvent =
  | ({
      readonly type: 'tenants-progress'
      /** Of those for whom there was something to do. */
      readonly total: number
      readonly ratePerSecond: number
      /** Until all are done; missing while nothing is known of the rate. */
      readonly leftMs?: number
    } & Omit<TenantCounts, 'settled' | 'notTried'>)
  | { readonly type: 'tenant-failed'; readonly failure: TenantFailure }
  /** It is tried again behind the others. */
  | {
      readonly type: 'tenant-parked'
      readonly tenant: NamedTenant
      readonly problem: Problem
      /** The one to come, from 2. */
      readonly attempt: number
    }
  /** The first ones have succeeded, and the others are begun. */
  | { readonly type: 'canary-passed'; readonly tenants: readonly string[] }
  /** Nothing comes from it any more; it is given time to come back. */
  | { readonly type: 'server-silent'; readonly server: string; readonly problem: Problem }
  /** Schemas could not be compared just now. */
  | { readonly type: 'gate-passed-over'; readonly problem: Problem }
  | { readonly type: 'server-lost'; readonly server: string; readonly problem: Problem }

/** Adds counts up. */
export function sumCounts(counts: readonly TenantCounts[]): TenantCounts {
  const sum = (key: keyof TenantCounts) => counts.reduce((all, one) => all + one[key], 0)
  return {
    settled: sum('settled'),
    done: sum('done'),
    failed: sum('failed'),
    waiting: sum('waiting'),
    notTried: sum('notTried'),
  }
}
