import type { PlanOutcome } from '@drover/engine'
import type { Problem } from '@drover/history'
import { isAboutLock, isAboutServer } from '@drover/orchestrator/tenants'

import type { JobEnd } from './queue.ts'

/** What becomes of a job when a plan has ended. */
export function judgeOutcome({ end }: PlanOutcome): JobEnd {
  switch (end.kind) {
    case 'succeeded':
      return { kind: 'done' }
    case 'interrupted':
      return { kind: 'again', problem: { code: 'INTERRUPTED', message: 'interrupted' } }
    case 'failed':
      return judgeProblem(end.problem)
  }
}

/**
 * What becomes of a job that met a problem: what says nothing of the tenant is tried again. That the tenant was changed by somebody
 * else meanwhile is such a thing, because whoever takes the job plans anew.
 */
export function judgeProblem(problem: Problem): JobEnd {
  const { code } = problem
  const isPassing =
    isAboutServer(problem) ||
    isAboutLock(problem) ||
    code === 'STATE_MOVED' ||
    code === 'LEASE_LOST' ||
    code === 'INTERRUPTED'
  return { kind: isPassing ? 'again' : 'failed', problem }
}
