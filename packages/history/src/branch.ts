import { closureOf, descendantsOf, type History } from './graph.ts'
import type { Revision } from './revision.ts'

/** A part of a history that is named by one of its revisions. Only parents count; dependencies do not make a branch. */
export interface Branch {
  /** What it was called by. */
  readonly name: string
  /**
   * What is its alone: the revision that names it, all that descend from that, and what it descends from back to where
   * the branch began (a revision with several children, or a merge, which belong to no single branch).
   */
  readonly own: ReadonlySet<string>
  /** The lowest of its own. */
  readonly start: Revision
  /** Its own, and everything that the naming revision descends from. */
  readonly lineage: ReadonlySet<string>
}

/** The branch of a revision. */
export function branchOf(history: History, revision: Revision, name: string): Branch {
  const above = closureOf([revision.id], (id) => childrenOf(history, id))
  const own = new Set(above)
  let start = revision
  for (let below = onlyParent(history, start); below; below = onlyParent(history, start)) {
    if (new Set(below.parents).size > 1 || childrenOf(history, below.id).length > 1) break
    own.add(below.id)
    start = below
  }
  return { name, own, start, lineage: new Set([...lineageBelow(history, revision.id), ...above]) }
}

/** The revision and everything that it descends from. */
export function lineageBelow(history: History, id: string): ReadonlySet<string> {
  return closureOf([id], (one) => history.byId.get(one)?.parents)
}

/** The revisions that name this one as a parent, in run order. */
export function childrenOf(history: History, id: string): readonly string[] {
  return history.followers.get(id)!.filter((follower) => history.byId.get(follower)!.parents.includes(id))
}

/**
 * What cannot stay when a database stands at these revisions (none: at the base): all that descends from them, of the
 * branch if one is given, and whatever comes after any of that. What merely depends on one of them stays.
 */
export function aboveOf(history: History, ids: readonly string[], branch?: Branch): ReadonlySet<string> {
  const atBase = branch ? branch.own : history.byId.keys()
  const children = ids.flatMap((id) => childrenOf(history, id))
  const descending = ids.length === 0 ? atBase : closureOf(children, (id) => childrenOf(history, id))
  return descendantsOf(history, branch ? [...descending].filter((id) => branch.own.has(id)) : descending)
}

function onlyParent(history: History, revision: Revision): Revision | undefined {
  const [parent, ...others] = new Set(revision.parents)
  return parent === undefined || others.length > 0 ? undefined : history.byId.get(parent)
}
