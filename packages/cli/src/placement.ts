import { readHistory } from '@drover/engine'
import {
  draftRevision,
  type ElsewhereDependency,
  type History,
  type Problem,
  type Target,
  throwProblems,
} from '@drover/history'
import { type Database, selectDatabases, type Workspace } from '@drover/orchestrator'

import { findTarget } from './commands/history.ts'

/** Where a new revision is to hang in the graph, as the command line says it. */
export interface PlacementOptions {
  /** What it comes after. Default: the one head. */
  readonly head: Target | undefined
  readonly splice: boolean
  readonly labels: readonly string[]
  readonly dependsOn: readonly Target[]
}

/** Where a new revision hangs in the graph. */
export interface Placement {
  readonly parents: readonly string[]
  readonly labels: readonly string[]
  /** Ids of the same history. */
  readonly dependsOn: readonly string[]
  readonly dependsOnElsewhere: readonly ElsewhereDependency[]
}

/**
 * Decides where a new revision of a database hangs.
 * @throws {DroverError} with every reason why it must not be written
 */
export function placeRevision(
  workspace: Workspace,
  database: Database,
  history: History,
  options: PlacementOptions,
): Placement {
  const { head, splice, labels } = options
  const { here, elsewhere, problems } = findDependencies(workspace, database, history, options.dependsOn)
  const draft = draftRevision(history, { ...(head && { head }), splice, labels, dependsOn: here })
  if (draft.ok && problems.length === 0) {
    return { parents: draft.parents, labels: draft.labels, dependsOn: draft.dependsOn, dependsOnElsewhere: elsewhere }
  }
  const all = [...(draft.ok ? [] : draft.problems), ...problems]
  throwProblems(all.map((problem) => ({ ...problem, database: database.name })))
  // Unreachable after `throwProblems`, which the compiler cannot know.
  throw new Error('a draft is right or has problems')
}

interface Dependencies {
  readonly here: readonly string[]
  readonly elsewhere: readonly ElsewhereDependency[]
  readonly problems: readonly Problem[]
}

function findDependencies(
  workspace: Workspace,
  own: Database,
  history: History,
  targets: readonly Target[],
): Dependencies {
  const here: string[] = []
  const elsewhere = new Map<string, ElsewhereDependency>()
  const problems: Problem[] = []
  for (const target of targets) {
    const database = target.database ?? own.name
    const isOwn = database === own.name
    const found = findTarget(isOwn ? history : historyOf(workspace, database), target)
    if (!found.ok) problems.push(found.problem)
    else if (isOwn) here.push(found.revision.id)
    else elsewhere.set(`${database}/${found.revision.id}`, { database, revision: found.revision.id })
  }
  return { here, elsewhere: [...elsewhere.values()], problems }
}

function historyOf(workspace: Workspace, name: string): History {
  const [database] = selectDatabases(workspace, [name])
  return readHistory({ root: workspace.root, folder: database!.migrations })
}
