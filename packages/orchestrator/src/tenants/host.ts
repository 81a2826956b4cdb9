import type {
  ConnectionUrl,
  ForeignPrivilege,
  ForeignReference,
  HistoryState,
  PlanOutcome,
  RunLimits,
  SchemaSnapshot,
  Script,
} from '@drover/engine'
import type { History, Problem } from '@drover/history'

import type { HoldOptions } from '../release/hold.ts'
import type { NamedTenant } from './name-tenant.ts'

/** Tenants of one server that have had the same revisions. */
export interface TenantGroup {
  /** The same text for the same revisions, and the empty one where there are none. */
  readonly key: string
  /** What one of them had had at the moment at which they were sorted. */
  readonly state: HistoryState
  readonly tenants: readonly NamedTenant[]
  /** Why nothing is known of them, where that is for a reason of their own. */
  readonly problem?: Problem
}

/** One server with tenants on it. Closes its connections when disposed of. */
export interface Host extends AsyncDisposable {
  /** As the registry calls it; empty where there is but one. */
  readonly name: string
  readonly url: ConnectionUrl
  /** The major version of its PostgreSQL. */
  readVersion(): Promise<number>
  /** Sorts tenants by what they have had. */
  group(tenants: readonly NamedTenant[]): Promise<readonly TenantGroup[]>
  /** How large tenants are, in an order of magnitude: what is not there is not in it. */
  sizes(tenants: readonly NamedTenant[]): Promise<ReadonlyMap<string, number>>
  /**
   * A hash of the schema of each tenant, the same for the same schema; of what is not there, none.
   * @param options.isBare whether the privileges of the declared roles have no part in it. Default `false`
   */
  fingerprint(
    tenants: readonly NamedTenant[],
    options?: { readonly isBare?: boolean },
  ): Promise<ReadonlyMap<string, string>>
  /** Reads the schema of a tenant, with `public` for its own name and without the privileges of the declared roles. */
  readCatalog(tenant: NamedTenant): Promise<readonly string[]>
  /** Finds what in tenants needs something of others, and who else can do something in them. */
  findStrangers(tenants: readonly NamedTenant[]): Promise<{
    readonly references: readonly ForeignReference[]
    readonly privileges: readonly ForeignPrivilege[]
  }>
  /** Counts the rows of a tenant's tables; `undefined` where there is nothing of it. */
  countRows(tenant: NamedTenant): Promise<readonly { readonly name: string; readonly rows: number }[] | undefined>
  /** Reads the rows of a tenant as statements that write them again. */
  exportRows(tenant: NamedTenant): AsyncIterable<string>
  /**
   * Refuses a tenant that somebody is at work on.
   * @throws {DroverError} `LOCKED`
   */
  refuseBusy(tenant: NamedTenant): Promise<void>
  /** Drops all that there is of a tenant, its role included; may be repeated. */
  drop(tenant: NamedTenant): Promise<void>
  /** Which of the targets that something is recorded of are none of these tenants. */
  findOrphans(known: readonly NamedTenant[]): Promise<readonly string[]>
  /** The slugs of the tenants that did not get where they were to be in the last run. */
  lastFailed(): Promise<readonly string[]>
  /** Reads what one tenant has had. */
  read(tenant: NamedTenant): Promise<HistoryState>
  /**
   * Begins a run, which keeps others from the tenants of this server while it goes on; or with `isShared` one that others may run beside,
   * because what has been done to a tenant is looked at in the same transaction that changes it.
   * @throws {DroverError} `LOCKED` when another run has it, and for what is wrong with the server
   */
  begin(release: string, options: BeginOptions): Promise<HostRun>
}

/** How a run on tenants is begun. */
export interface BeginOptions extends HoldOptions, HostOptions {
  /** Whether others may run beside it. Default `false` */
  readonly isShared?: boolean
}

/** How tenants are worked on. */
export interface HostOptions {
  readonly history: History
  /** Absolute path of the workspace's root, where code runs, and what it gets PATH and HOME from. */
  readonly root: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly limits: RunLimits
}

/** A run on the tenants of one server. */
export interface HostRun {
  /** Makes somebody who works on one tenant at a time. */
  openWorker(): Worker
  /** Ends it, and records how it went. */
  end(outcome: 'succeeded' | 'failed' | 'interrupted', problem?: Problem): Promise<void>
}

/** Works on one tenant at a time, over a connection of its own. */
export interface Worker extends AsyncDisposable {
  /** Carries out the scripts for a tenant. Never throws for what the server says. */
  carryOut(tenant: NamedTenant, work: TenantWork): Promise<PlanOutcome>
}

/** What is to be done for a tenant. */
export interface TenantWork {
  readonly scripts: readonly Script[]
  /** What is loaded instead of the first of them, which are those that it stands for. Default: nothing. */
  readonly snapshot?: SchemaSnapshot | undefined
  /** Whether there is nothing of the tenant yet. */
  readonly isNew: boolean
  /** How often it is tried while it cannot have a lock; who is in the way is looked for from the second time on. Default 30. */
  readonly lockAttempts: number | undefined
  /** Once aborted, what is more than one transaction stops behind the revision that it is at. */
  readonly signal?: AbortSignal | undefined
  /** Once aborted, the statement that is running is cancelled. */
  readonly cancel?: AbortSignal | undefined
}
