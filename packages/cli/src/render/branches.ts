import { type History, resolvePlace, type Revision } from '@drover/history'

import { titleOf } from './history.ts'
import type { Style } from './style.ts'
import { columns, count } from './text.ts'

/** A place in a history where more than one revision goes on. */
export interface BranchPoint {
  /** Missing where the history itself begins with several bases. */
  readonly revision: Revision | undefined
  readonly children: readonly Arm[]
}

interface Arm {
  readonly revision: Revision
  /** The labels by which targets can name this arm, whether its first revision has them or a later one. */
  readonly labels: readonly string[]
}

/** The branch points of a history, in run order. Only parents count: dependencies make no branch. */
export function findBranchPoints(history: History): readonly BranchPoint[] {
  const branches = [...history.byLabel.keys()].map((label) => ({ label, own: ownOf(history, label) }))
  const armOf = (point: Revision | undefined, revision: Revision): Arm => ({
    revision,
    labels: branches
      .filter(({ own }) => own.has(revision.id) && !(point && own.has(point.id)))
      .map(({ label }) => label),
  })
  const points = history.revisions.map((revision) => ({ revision, children: childrenOf(history, revision) }))
  return [{ revision: undefined, children: history.bases }, ...points]
    .filter(({ children }) => children.length > 1)
    .map(({ revision, children }) => ({ revision, children: children.map((child) => armOf(revision, child)) }))
}

/** The branch points of one database. */
export function describeBranches(database: string, points: readonly BranchPoint[], style: Style): readonly string[] {
  if (points.length === 0) return [`${style.strong(database)}: no branches`]
  return [
    `${style.strong(database)}: ${count(points.length, 'branch point')}`,
    ...points.flatMap(({ revision, children }) => [
      `  ${revision ? `${revision.id}  ${titleOf(revision)}` : 'base'}`,
      ...columns(
        children.map((child) => [
          `    ${child.revision.id}`,
          titleOf({ message: child.revision.message, labels: child.labels }),
        ]),
      ),
    ]),
  ]
}

/** The branch points of one database, for programs. */
export function branchesJson(name: string, points: readonly BranchPoint[]): Readonly<Record<string, unknown>> {
  return {
    name,
    branches: points.map(({ revision, children }) => ({
      revision: revision?.id ?? null,
      message: revision?.message ?? '',
      labels: revision?.labels ?? [],
      children: children.map((child) => ({
        revision: child.revision.id,
        message: child.revision.message,
        labels: child.labels,
      })),
    })),
  }
}

function ownOf(history: History, label: string): ReadonlySet<string> {
  const place = resolvePlace(history, { branch: label, anchor: { kind: 'base' }, steps: 0 })
  return (place.ok && place.branch?.own) || new Set()
}

function childrenOf(history: History, { id }: Revision): readonly Revision[] {
  return history.followers
    .get(id)!
    .map((follower) => history.byId.get(follower)!)
    .filter((follower) => follower.parents.includes(id))
}
