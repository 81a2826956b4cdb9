import { DroverError, type Problem } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { DatabaseOutcome } from '../release/outcome.ts'
import type { ReleaseOptions } from '../release/run-release.ts'
import { fanOut } from './fan-out.ts'
import { sumCounts, type TenantsOutcome } from './outcome.ts'
import { countBehind } from './survey.ts'

/**
 * Has the tenants of a database do their part of a release. Never throws for how that goes: the outcome tells.
 * @param release its id
 */
export async function runTenants(
  before: DatabaseOutcome,
  release: string,
  options: ReleaseOptions,
): Promise<DatabaseOutcome> {
  const { member, tenants: plan } = before.plan
  const { name } = member.database
  if (!plan || !member.tenants) return before
  const { onEvent, limits = {}, environment = {}, fanOut: wish, onFailure } = options
  try {
    const outcome = await fanOut(member.tenants, plan.wish, release, countBehind(plan.survey), {
      ...wish,
      ...(onFailure === 'continue' && { maxFailures: wish?.maxFailures ?? Number.POSITIVE_INFINITY }),
      filter: plan.filter,
      root: options.root,
      command: options.command,
      actor: options.actor,
      ...(options.waitLockMs !== undefined && { waitLockMs: options.waitLockMs }),
      ...(options.signal && { signal: options.signal }),
      cancel: options.cancel,
      environment,
      limits,
      onEvent: (event) => onEvent?.({ ...event, database: name }),
    })
    return settle(before, outcome)
  } catch (error) {
    if (error instanceof DroverError && error.code === 'INTERRUPTED') return { ...before, end: 'interrupted' }
    return { ...before, end: 'failed', failed: { step: undefined, problem: problemsOf(error, name)[0]! } }
  }
}

function settle(before: DatabaseOutcome, tenants: TenantsOutcome): DatabaseOutcome {
  const { done, failed, waiting, notTried } = sumCounts(tenants.servers)
  const common = { ...before, tenants }
  if (failed + waiting === 0 && tenants.isInterrupted) return { ...common, end: 'interrupted' }
  if (failed + waiting + notTried === 0 && !tenants.stoppedBy) {
    return { ...common, end: done === 0 ? 'nothing-to-do' : 'done' }
  }
  const { name } = before.plan.member.database
  return { ...common, end: 'failed', failed: { step: undefined, problem: describe(tenants, name) } }
}

/** Why tenants did not get there, in one sentence; each of them is told beside it. */
function describe(outcome: TenantsOutcome, database: string): Problem {
  const { stoppedBy, failed, waiting, servers } = outcome
  if (stoppedBy) return stoppedBy
  const [first] = [...failed, ...waiting]
  const lost = servers.filter(({ problem }) => problem)
  const named = [...failed, ...waiting].map(({ slug }) => slug)
  const about = { code: 'TENANTS_FAILED', database, ...(named.length > 0 && { tenants: named }) } as const
  if (!first && lost.length > 0) {
    const left = lost.reduce((sum, { notTried }) => sum + notTried, 0)
    return {
      ...about,
      message: `${left} tenants were not tried, because ${lost.map(({ name, problem }) => `${name || 'their server'}: ${problem?.message}`).join('; ')}`,
      hint: 'run the same command again when it can be reached: it goes on where it stopped',
    }
  }
  return {
    ...about,
    message: `${named.length === 1 ? `the tenant ${named[0]} is` : `${named.length} tenants are`} not where ${named.length === 1 ? 'it' : 'they'} should be`,
    hint: 'put right what they failed of, then run the same command again, or for them alone: pnpm migrate tenant upgrade --retry-failed',
  }
}
