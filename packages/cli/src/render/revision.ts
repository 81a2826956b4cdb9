import { type Revision, scriptFile } from '@drover/history'

import { columns } from './text.ts'

/** What a revision depends on beside its parents: ids of its own history, then those of other databases behind their names. */
export function dependenciesOf({ dependsOn, dependsOnElsewhere = [] }: Revision): readonly string[] {
  return [...dependsOn, ...dependsOnElsewhere.map(({ database, revision }) => `${database}/${revision}`)]
}

/** A revision that was just made, and its place in the history. */
export function describeMade(database: string, revision: Revision, heads: number): readonly string[] {
  const { id, parents, labels, phase } = revision
  const first = heads === 0 ? 'nothing: it is the first' : 'nothing: it is a new base'
  const dependencies = dependenciesOf(revision)
  return [
    `${database}: made revision ${id}, after ${parents.join(', ') || first}`,
    ...columns([
      ...(labels.length > 0 ? [['  labels', labels.join(', ')]] : []),
      ...(dependencies.length > 0 ? [['  depends on', dependencies.join(', ')]] : []),
      ...(phase ? [['  phase', phase]] : []),
    ]),
  ]
}

/** The files of a revision that are there to be filled in, or read. */
export function filesOf(revision: Revision): readonly string[] {
  return [...new Set([scriptFile(revision, 'up'), scriptFile(revision, 'down')])]
}

/** A revision that was just made, for programs. */
export function madeJson(revision: Revision): Readonly<Record<string, unknown>> {
  const { id, parents, labels, message, created, phase, folder } = revision
  return {
    id,
    parents,
    labels,
    dependsOn: dependenciesOf(revision),
    message,
    created,
    ...(phase && { phase }),
    folder,
    files: filesOf(revision),
  }
}
