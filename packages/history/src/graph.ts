import { findCircle, sortTopologically } from './order.ts'
import type { Problem } from './problem.ts'
import { inCreationOrder, nameRevision, type Revision } from './revision.ts'

/** The graph of a database's revisions: valid, ordered, ready to be asked. */
export interface History {
  /** All revisions in the order in which they run. */
  readonly revisions: readonly Revision[]
  readonly byId: ReadonlyMap<string, Revision>
  /** Revisions that are nobody's parent, in run order. That another one depends on them makes no difference. */
  readonly heads: readonly Revision[]
  /** Revisions without parents, in run order. */
  readonly bases: readonly Revision[]
  /** For each id, what directly comes after it or depends on it, in run order. */
  readonly followers: ReadonlyMap<string, readonly string[]>
}

/** A history, or everything that keeps the revisions from being one. */
export type HistoryResult =
  | { readonly ok: true; readonly history: History }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Builds the graph. The order of `revisions` does not matter: what the graph leaves free is ordered by creation
 * time, then id. Duplicate ids, parents or dependencies that do not exist, and circles are returned as problems that
 * name the folders at fault, all of a kind at once.
 */
export function buildHistory(revisions: readonly Revision[]): HistoryResult {
  const sorted = inCreationOrder(revisions)
  const nodes = sorted.map((revision) => ({ id: revision.id, after: comesAfter(revision) }))
  const byId = new Map(sorted.map((revision) => [revision.id, revision]))

  const duplicates = findDuplicates(sorted)
  if (duplicates.length > 0) return { ok: false, problems: duplicates }
  const missing = sorted.flatMap((revision) => findMissing(revision, byId))
  if (missing.length > 0) return { ok: false, problems: missing }
  const circle = findCircle(nodes)
  if (circle) return { ok: false, problems: [describeCircle(circle.map((id) => byId.get(id)!))] }

  const ordered = sortTopologically(nodes).sorted.map((id) => byId.get(id)!)
  const followers = new Map<string, string[]>(ordered.map((revision) => [revision.id, []]))
  const parents = new Set<string>()
  for (const revision of ordered) {
    for (const id of comesAfter(revision)) followers.get(id)!.push(revision.id)
    for (const id of revision.parents) parents.add(id)
  }
  return {
    ok: true,
    history: {
      revisions: ordered,
      byId,
      followers,
      heads: ordered.filter((revision) => !parents.has(revision.id)),
      bases: ordered.filter((revision) => revision.parents.length === 0),
    },
  }
}

/** Everything that must be applied directly before a revision: its parents and its dependencies, each once. */
export function comesAfter(revision: Revision): readonly string[] {
  const { parents, dependsOn } = revision
  return dependsOn.length === 0 && parents.length < 2 ? parents : [...new Set([...parents, ...dependsOn])]
}

/** The given revisions and all that they come after, directly or not. Ids that the history does not know are left out. */
export function ancestorsOf(history: History, ids: Iterable<string>): ReadonlySet<string> {
  return closure(ids, (id) => {
    const revision = history.byId.get(id)
    return revision && comesAfter(revision)
  })
}

/** The given revisions and all that come after them, directly or not. Ids that the history does not know are left out. */
export function descendantsOf(history: History, ids: Iterable<string>): ReadonlySet<string> {
  return closure(ids, (id) => history.followers.get(id))
}

/**
 * The members of `applied` that no other member comes after, directly or not: where a database stands. Unknown ids count
 * as standing for themselves. In run order, unknown ones last.
 */
export function currentOf(history: History, applied: ReadonlySet<string>): readonly string[] {
  const covered = new Set<string>()
  for (const revision of history.revisions.toReversed()) {
    if (!applied.has(revision.id) && !covered.has(revision.id)) continue
    for (const before of comesAfter(revision)) covered.add(before)
  }
  const known = history.revisions.filter((revision) => applied.has(revision.id) && !covered.has(revision.id))
  const unknown = [...applied].filter((id) => !history.byId.has(id)).toSorted()
  return [...known.map((revision) => revision.id), ...unknown]
}

function closure(start: Iterable<string>, next: (id: string) => readonly string[] | undefined): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [...start]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue
    const neighbours = next(id)
    if (neighbours === undefined) continue
    found.add(id)
    open.push(...neighbours)
  }
  return found
}

function findDuplicates(revisions: readonly Revision[]): readonly Problem[] {
  const groups = Map.groupBy(revisions, (revision) => revision.id)
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => {
      const folders = group.map((revision) => revision.folder).toSorted()
      return {
        code: 'DUPLICATE_ID',
        revision: group[0]!.id,
        file: `${folders.at(-1)}/revision.json`,
        message: `the id ${group[0]!.id} is used by ${group.length} revisions: ${folders.join(', ')}`,
        hint: 'give the copy an id of its own in its revision.json, or delete its folder',
      }
    })
}

function findMissing(revision: Revision, byId: ReadonlyMap<string, Revision>): readonly Problem[] {
  return comesAfter(revision)
    .filter((id) => !byId.has(id))
    .map((id) => ({
      code: 'MISSING_PARENT',
      revision: revision.id,
      file: `${revision.folder}/revision.json`,
      message: `${revision.folder} (${revision.id}) comes after ${id}, and no revision has that id`,
      hint: 'bring the missing folder back (another branch may have it), or correct "parents" or "dependsOn"',
    }))
}

function describeCircle(circle: readonly Revision[]): Problem {
  const [first] = circle
  const path = [...circle, first!].map((revision) => nameRevision(revision)).join(' after ')
  return {
    code: 'CYCLE',
    revision: first!.id,
    file: `${first!.folder}/revision.json`,
    message: `these revisions come after each other in a circle: ${path}`,
    hint: `correct "parents" or "dependsOn" in one of: ${circle.map((revision) => `${revision.folder}/revision.json`).join(', ')}`,
  }
}
