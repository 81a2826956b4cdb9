import {
  type Direction,
  DroverError,
  findEdited,
  planDowngrade,
  planUpgrade,
  type Problem,
  type Step,
  type Target,
} from '@drover/history'

import type { Member } from './fleet.ts'
import { appliedIds, statusOf, type Status } from './status.ts'

/** What a release will do, database by database, in the order in which it does it. Pure data. */
export interface ReleasePlan {
  readonly direction: Direction
  readonly databases: readonly DatabasePlan[]
}

/** The steps of one database. */
export interface DatabasePlan {
  readonly member: Member
  readonly status: Status
  readonly steps: readonly Step[]
}

/** A plan, or everything that keeps any of the databases from having one. */
export type ReleasePlanResult =
  | { readonly ok: true; readonly plan: ReleasePlan }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Plans a release over the members: upgrades in the order of the databases, downgrades in reverse. Touches nothing.
 * @param checksums of the applied revisions' files, by database; upgrades are refused where they differ from what was applied
 */
export function planRelease(
  members: readonly Member[],
  direction: Direction,
  target: Target,
  checksums: ReadonlyMap<string, ReadonlyMap<string, string>>,
): ReleasePlanResult {
  const problems: Problem[] = []
  const databases: DatabasePlan[] = []
  for (const member of direction === 'up' ? members : members.toReversed()) {
    const applied = appliedIds(member.state)
    const plan =
      direction === 'up' ? planUpgrade(member.history, applied, target) : planDowngrade(member.history, applied, target)
    const edited =
      direction === 'up'
        ? findEdited(member.history, member.state.applied, checksums.get(member.database.name) ?? new Map())
        : []
    const found = [...(plan.kind === 'refused' ? plan.problems : []), ...edited]
    problems.push(...found.map((problem) => ({ ...problem, database: member.database.name })))
    if (plan.kind === 'steps') databases.push({ member, status: statusOf(member), steps: plan.steps })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, plan: { direction, databases } }
}

/**
 * Narrows names to the database that a target is for. A revision that is meant for one of several databases has to
 * say which.
 * @throws {DroverError} `USAGE`
 */
export function databasesOfTarget(target: Target, selected: readonly string[], command: string): readonly string[] {
  if (target.database !== undefined) {
    if (selected.includes(target.database)) return [target.database]
    throw new DroverError({
      code: 'DATABASE_UNKNOWN',
      message: `the target is for "${target.database}", which is not among: ${selected.join(', ')}`,
      hint: 'correct the name before the "/", or the databases given with --database',
    })
  }
  if (target.kind === 'revision' && selected.length > 1) {
    throw new DroverError({
      code: 'USAGE',
      message: `revision "${target.prefix}" is given to ${selected.length} databases, and belongs to one of them`,
      hint: `say which: pnpm migrate ${command} <database>/${target.prefix} (${selected.join(', ')})`,
    })
  }
  return selected
}
