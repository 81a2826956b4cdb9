import type { Step } from '@drover/history'

import { exampleDatabase } from '../workspace/example-database.ts'
import { exampleMember } from './example-member.ts'
import type { DatabasePlan } from './plan-release.ts'
import { statusOf } from './status.ts'

/** A database with revisions one after the other, all of which are planned; for tests. */
export function examplePlan(
  name: string,
  ids: readonly string[],
  after: readonly string[] = [],
  elsewhere: Readonly<Record<string, readonly string[]>> = {},
): DatabasePlan {
  const parents = Object.fromEntries(ids.map((id, at) => [id, at === 0 ? [] : [ids[at - 1]!]]))
  const member = { ...exampleMember(name, parents, [], [], elsewhere), database: exampleDatabase(name, { after }) }
  const steps = member.history.revisions.map((revision): Step => ({ direction: 'up', revision }))
  return { member, status: statusOf(member), steps }
}

/** The plan that takes back what such a plan does. */
export function reversePlan({ member: { history, ...member }, status, steps }: DatabasePlan): DatabasePlan {
  const applied = steps.map(({ revision }) => ({
    id: revision.id,
    checksum: '',
    appliedAt: '2026-11-20T11:00:00.000Z',
  }))
  return {
    member: { ...member, history, state: { ...member.state, applied } },
    status,
    steps: steps.map(({ revision }): Step => ({ direction: 'down', revision })).toReversed(),
  }
}
