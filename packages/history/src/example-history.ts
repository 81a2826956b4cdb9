import { buildHistory, type History } from './graph.ts'
import type { Revision } from './revision.ts'

/**
 * A revision for a test, whose id may be as short as one letter. All are created at the same moment, so that the graph
 * leaves them in alphabetical order of their ids.
 */
export function exampleRevision(id: string, parents: readonly string[] = [], fields: Partial<Revision> = {}): Revision {
  return {
    id,
    parents,
    dependsOn: [],
    labels: [],
    message: `make ${id}`,
    created: '2026-11-20T10:00:00Z',
    folder: `databases/main/migrations/${id}`,
    reversible: true,
    ...fields,
  }
}

/**
 * A history for a test.
 * @throws {Error} when the revisions do not make one
 */
export function exampleHistory(revisions: readonly Revision[]): History {
  const result = buildHistory(revisions)
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'))
  return result.history
}
