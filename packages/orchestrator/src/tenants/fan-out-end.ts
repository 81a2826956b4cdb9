import type { Problem } from '@drover/history'

import type { TenantFailure, TenantsOutcome } from './outcome.ts'

/** How a fan-out is recorded. */
export function describeEnd({ failed, waiting, stoppedBy, isInterrupted, servers }: TenantsOutcome): {
  readonly kind: 'succeeded' | 'failed' | 'interrupted'
  readonly problem?: Problem
} {
  const tenants = [...failed, ...waiting].map(({ slug }) => slug)
  const isThrough = tenants.length === 0 && !stoppedBy && servers.every(({ notTried }) => notTried === 0)
  if (isThrough) return { kind: 'succeeded' }
  const message = stoppedBy?.message ?? `${tenants.length} tenants did not get there`
  return {
    kind: isInterrupted ? 'interrupted' : 'failed',
    problem: { code: 'TENANTS_FAILED', message, tenants: tenants.slice(0, mostRecorded) },
  }
}

/** So many failures are recorded with a run; `--retry-failed` takes those. */
const mostRecorded = 1000

/** Why no other was tried: those that go first have to succeed. */
export function describeCanary({ slug }: TenantFailure): Problem {
  return {
    code: 'TENANTS_FAILED',
    message: `${slug} was to go first, and did not get there: no other tenant was tried`,
    hint: 'put right what it failed of, then run the same command again',
  }
}

/** Why no other was begun. @param bound how many may fail */
export function describeFailures(failed: number, bound: number): Problem {
  return {
    code: 'TENANTS_FAILED',
    message: `${failed} tenants have failed, and no other was begun`,
    hint: `put right what they failed of, then run the same command again; or let more fail: --max-failures ${bound * 10}`,
  }
}
