import { findCircle, sortTopologically } from './order.ts'
import type { Problem } from './problem.ts'
import { inCreationOrder, nameRevision, type Revision } from './revision.ts'
import { faultOfLabel } from './target.ts'

/** The graph of a database's revisions: valid, ordered, ready to be asked. */
export interface History {
  /** All revisions in the order in which they run. */
  readonly revisions: readonly Revision[]
  readonly byId: ReadonlyMap<string, Revision>
  readonly byLabel: ReadonlyMap<string, Revision>
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
 * time, then id. Duplicate ids, parents or dependencies that do not exist, circles, and labels that are used twice or
 * could not be told from another word in a target are returned as problems that name the folders at fault, all of a
 * kind at once.
 */
export function buildHistory(revisions: readonly Revision[]): HistoryResult {
  const sorted = inCreationOrder(revisions)
  const nodes = sorted.map((revision) => ({ id: revision.id, after: comesAfter(revision) }))
  const byId = new Map(sorted.map((revision) => [revision.id, revision]))

  if (byId.size < sorted.length) return { ok: false, problems: findDuplicates(sorted) }
  if (nodes.some(({ after }) => after.some((id) => !byId.has(id)))) {
    return { ok: false, problems: sorted.flatMap((revision) => findMissing(revision, byId)) }
  }
  const labelled = sorted.filter((revision) => revision.labels.length > 0)
  const labels = [...findUnusableLabels(labelled, byId), ...findDuplicateLabels(labelled)]
  if (labels.length > 0) return { ok: false, problems: labels }
  const order = sortTopologically(nodes)
  const circle = order.stuck.length > 0 ? findCircle(nodes) : undefined
  if (circle) return { ok: false, problems: [describeCircle(circle.map((id) => byId.get(id)!))] }

  const ordered = order.sorted.map((id) => byId.get(id)!)
  const followers = new Map<string, string[]>(ordered.map((revision) => [revision.id, []]))
  for (const revision of ordered) {
    for (const id of comesAfter(revision)) followers.get(id)!.push(revision.id)
  }
  const hasChild = ({ id }: Revision) => followers.get(id)!.some((follower) => byId.get(follower)!.parents.includes(id))
  return {
    ok: true,
    history: {
      revisions: ordered,
      byId,
      byLabel: new Map(
        ordered
          .filter((revision) => revision.labels.length > 0)
          .flatMap((revision) => revision.labels.map((label) => [label, revision] as const)),
      ),
      followers,
      heads: ordered.filter((revision) => !hasChild(revision)),
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
  return closureOf(ids, (id) => {
    const revision = history.byId.get(id)
    return revision && comesAfter(revision)
  })
}

/** The given revisions and all that come after them, directly or not. Ids that the history does not know are left out. */
export function descendantsOf(history: History, ids: Iterable<string>): ReadonlySet<string> {
  return closureOf(ids, (id) => history.followers.get(id))
}

/**
 * The members of `applied` that no other member comes after, directly or not: where a database stands. Unknown ids count
 * as standing for themselves. In run order, unknown ones last.
 */
export function currentOf(history: History, applied: ReadonlySet<string>): readonly string[] {
  // What is not applied itself, and lies below something that is: gaps, and so mostly nothing.
  const gaps = new Set<string>()
  const isCovered = ({ id }: Revision): boolean =>
    history.followers.get(id)!.some((follower) => applied.has(follower) || gaps.has(follower))
  const missing = history.revisions.filter((revision) => !applied.has(revision.id))
  for (const revision of missing.toReversed()) if (isCovered(revision)) gaps.add(revision.id)
  const known = history.revisions.filter((revision) => applied.has(revision.id) && !isCovered(revision))
  return [...known.map((revision) => revision.id), ...unknownOf(history, applied)]
}

/** The ids that the history does not know, in alphabetical order. */
export function unknownOf(history: History, ids: Iterable<string>): readonly string[] {
  const unknown: string[] = []
  for (const id of ids) if (!history.byId.has(id)) unknown.push(id)
  return unknown.toSorted()
}

/** Everything that can be reached from `start`, itself included; `next` answers `undefined` for what is to be left out. */
export function closureOf(
  start: Iterable<string>,
  next: (id: string) => readonly string[] | undefined,
): ReadonlySet<string> {
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

function findUnusableLabels(revisions: readonly Revision[], byId: ReadonlyMap<string, Revision>): readonly Problem[] {
  return revisions.flatMap((revision) =>
    revision.labels.flatMap((label): readonly Problem[] => {
      const fault = byId.has(label) ? 'is the id of a revision' : faultOfLabel(label)
      if (fault === undefined) return []
      return [
        {
          code: 'REVISION_INVALID',
          revision: revision.id,
          file: `${revision.folder}/revision.json`,
          message: `${revision.folder}/revision.json: the label "${label}" ${fault}`,
          hint: 'correct "labels" in that file',
        },
      ]
    }),
  )
}

function findDuplicateLabels(revisions: readonly Revision[]): readonly Problem[] {
  const uses = revisions.flatMap((revision) => [...new Set(revision.labels)].map((label) => ({ label, revision })))
  return [...Map.groupBy(uses, ({ label }) => label)]
    .filter(([, group]) => group.length > 1)
    .map(([label, group]) => {
      const { revision } = group.at(-1)!
      return {
        code: 'DUPLICATE_LABEL',
        revision: revision.id,
        file: `${revision.folder}/revision.json`,
        message: `the label "${label}" is used by ${group.length} revisions: ${group.map((use) => use.revision.folder).join(', ')}`,
        hint: 'leave it to one of them, which stands for the whole branch: correct "labels" in the others\' revision.json',
      }
    })
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
