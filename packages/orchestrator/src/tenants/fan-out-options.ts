import type { Environment, RunLimits } from '@drover/engine'

import type { HoldOptions } from '../release/hold.ts'
import type { TenantsEvent } from './outcome.ts'
import type { TenantFilter } from './registry.ts'

/** How people want tenants to be worked on, many at a time. */
export interface FanOutWish {
  /** How many connections to one server. Default: as `database.ts` says. */
  readonly connections?: number | undefined
  /** How many tenants go first and have to succeed; `spread`: the largest, the smallest and a random one. Default 1. */
  readonly canary?: number | 'spread' | undefined
  /** How many tenants go between two looks at whether to go on. Default 1,000. */
  readonly wave?: number | undefined
  /** How many may fail before no other is begun. Default 10. */
  readonly maxFailures?: number | undefined
  /** For how long a server may not be reached before it is given up, in milliseconds: one that restarts is back by then. Default 30,000. */
  readonly giveUpAfterMs?: number | undefined
  /** Default: as fast as the servers are. */
  readonly ratePerSecond?: number | undefined
  /** How long to wait between waves, in milliseconds. Default 0. */
  readonly pauseMs?: number | undefined
  /** Whether the schemas of a wave are compared. Default `true`. */
  readonly gate?: boolean | undefined
}

/** How tenants are worked on. */
export interface FanOutOptions extends HoldOptions, FanOutWish {
  readonly filter: TenantFilter
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly environment: Environment
  readonly limits: RunLimits
  /** Once aborted, after `signal`, what is running is cancelled. */
  readonly cancel?: AbortSignal | undefined
  readonly onEvent?: ((event: TenantsEvent) => void) | undefined
}

/** What holds where nothing else is said. */
export const defaults = { canary: 1, wave: 1000, maxFailures: 10, lockAttempts: 30, giveUpAfterMs: 30_000 }
