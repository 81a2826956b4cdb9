import type { Revision } from '@drover/history'

import type { Standing } from './graph.ts'
import { dependenciesOf } from './revision.ts'

/** The revisions of one database, for a picture of several. */
export interface DiagramHistory {
  readonly database: string
  /** In run order. */
  readonly revisions: readonly Revision[]
  readonly standingOf?: (id: string) => Standing
}

/** Histories as a picture needs them: boxes with text in groups, and arrows in the order in which revisions run. */
export interface Diagram {
  readonly groups: readonly { readonly database: string; readonly boxes: readonly Box[] }[]
  /** What revisions of the groups depend on and none of them has. */
  readonly strangers: readonly Box[]
  readonly arrows: readonly Arrow[]
}

export interface Box {
  /** `<database>/<id>`. */
  readonly key: string
  /** Lines of text. */
  readonly text: readonly string[]
  readonly standing?: Standing
}

interface Arrow {
  readonly from: string
  readonly to: string
  /** Whether it stands for a dependency and not for a parent. */
  readonly dashed: boolean
}

/**
 * Collects what a picture of histories shows. Parents that are not among the revisions are left out, dependencies are
 * not.
 */
export function diagramOf(histories: readonly DiagramHistory[]): Diagram {
  const groups = histories.map(({ database, revisions, standingOf }) => ({
    database,
    boxes: revisions.map((revision) => boxOf(database, revision, standingOf?.(revision.id))),
  }))
  const known = new Set(groups.flatMap(({ boxes }) => boxes.map(({ key }) => key)))
  const arrows = histories.flatMap(({ database, revisions }) =>
    revisions.flatMap((revision): readonly Arrow[] => {
      const to = keyOf(database, revision.id)
      const parents = [...new Set(revision.parents)].map((id) => keyOf(database, id))
      const needed = [...new Set(dependenciesOf(revision))].map((id) => keyOf(database, id))
      return [
        ...parents.filter((from) => known.has(from)).map((from) => ({ from, to, dashed: false })),
        ...needed.filter((from) => !parents.includes(from)).map((from) => ({ from, to, dashed: true })),
      ]
    }),
  )
  const strange = new Set(arrows.map(({ from }) => from).filter((key) => !known.has(key)))
  return { groups, strangers: [...strange].map((key) => ({ key, text: [key] })), arrows }
}

/** The key of a revision; one of another database is already written as one. */
function keyOf(database: string, id: string): string {
  return id.includes('/') ? id : `${database}/${id}`
}

function boxOf(database: string, { id, labels, message }: Revision, standing: Standing | undefined): Box {
  const more = labels.length > 0 ? [labels.map((label) => `[${label}]`).join(' ')] : []
  return { key: keyOf(database, id), text: [id, message, ...more], ...(standing && { standing }) }
}
