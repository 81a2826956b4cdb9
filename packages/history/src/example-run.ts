import { comesAfter, descendantsOf, type History } from './graph.ts'
import type { Plan, Step } from './plan.ts'

/**
 * Runs a plan on a set of applied revisions as a database would.
 * @throws {Error} at the first step that has been done already, or comes too early
 */
export function run(history: History, applied: ReadonlySet<string>, plan: Plan): ReadonlySet<string> {
  const state = new Set(applied)
  for (const { direction, revision } of stepsOf(plan)) {
    const isDone = state.has(revision.id) === (direction === 'up')
    const isEarly =
      direction === 'up'
        ? comesAfter(revision).some((id) => !state.has(id))
        : history.followers.get(revision.id)!.some((id) => state.has(id))
    if (isDone || isEarly)
      throw new Error(`${direction} ${revision.id} ${isDone ? 'is done already' : 'comes too early'}`)
    if (direction === 'up') state.add(revision.id)
    else state.delete(revision.id)
  }
  return state
}

/**
 * The steps of a plan.
 * @throws {Error} when it is refused
 */
export function stepsOf(plan: Plan): readonly Step[] {
  if (plan.kind === 'refused') throw new Error(plan.problems.map((problem) => problem.message).join('\n'))
  return plan.steps
}

/** What cannot stay when a database goes down to a revision: its descendants, and what comes after those. */
export function standingOn(history: History, id: string): ReadonlySet<string> {
  const children = history.revisions.filter((revision) => revision.parents.includes(id)).map((child) => child.id)
  return descendantsOf(history, children)
}

export function union(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...one, ...other])
}

export function difference(one: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...one].filter((id) => !other.has(id)))
}
