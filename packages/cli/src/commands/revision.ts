import { readHistory, scriptFile, writeEmptyRevision } from '@drover/engine'
import {
  draftRevision,
  DroverError,
  type ElsewhereDependency,
  type History,
  type Problem,
  type Target,
} from '@drover/history'
import { type Database, selectDatabases, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { describeMade, madeJson } from '../render/revision.ts'
import type { CommonOptions, Session } from '../session.ts'
import { onlyDatabase, readTargets } from '../targets.ts'
import { findTarget } from './history.ts'

interface RevisionOptions extends CommonOptions {
  readonly empty?: boolean
  /** What it comes after. */
  readonly head?: string
  readonly splice?: boolean
  readonly branchLabel?: readonly string[]
  readonly dependsOn?: readonly string[]
}

/** Makes a new revision of one database: after its head, or where the options say. */
export async function revision(session: Session, options: RevisionOptions, message = ''): Promise<ExitCode> {
  if (message.trim() === '') {
    throw new DroverError({
      code: 'USAGE',
      message: 'the message is empty',
      hint: 'say what the revision does: pnpm migrate revision "add circle capacity" --empty',
    })
  }
  const { workspace, selected } = await session.workspace()
  const [head] = readTargets(workspace, options.head === undefined ? [] : [options.head])
  const dependencies = readTargets(workspace, options.dependsOn ?? [])
  const database = onlyDatabase(workspace, selected, 'a new revision', head ? [head] : [])
  const { name } = database
  if (!options.empty) {
    throw new DroverError({
      code: 'USAGE',
      message: 'this version does not write revisions from the Drizzle schema',
      hint: `pnpm migrate revision ${JSON.stringify(message)} --database ${name} --empty`,
    })
  }
  const source = { root: workspace.root, folder: database.migrations }
  const history = readHistory(source)
  const { here, elsewhere, problems } = findDependencies(workspace, database, history, dependencies)
  const draft = draftRevision(history, {
    ...(head && { head }),
    splice: options.splice === true,
    labels: options.branchLabel ?? [],
    dependsOn: here,
  })
  if (!draft.ok || problems.length > 0) {
    const all = [...(draft.ok ? [] : draft.problems), ...problems]
    return session.finish(
      { databases: [] },
      all.map((problem) => ({ ...problem, database: name })),
    )
  }
  const { parents, labels, dependsOn } = draft
  const written = writeEmptyRevision(source, history, {
    message: message.trim(),
    parents,
    labels,
    dependsOn,
    dependsOnElsewhere: elsewhere,
    created: new Date(),
  })
  session.print(...describeMade(name, written, history.heads.length))
  session.print(`  fill in ${scriptFile(written, 'up')}`, `  fill in ${scriptFile(written, 'down')}`)
  return session.finish({ databases: [{ name, revisions: [madeJson(written)] }] })
}

interface Dependencies {
  /** Ids of the same history. */
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
