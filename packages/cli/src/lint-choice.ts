import { readHistory } from '@drover/engine'
import {
  ancestorsOf,
  DroverError,
  type History,
  type Problem,
  type Range,
  type Revision,
  type Target,
} from '@drover/history'
import { appliedIds, type Database, databasesOfTarget, problemsOf, type Workspace } from '@drover/orchestrator'

import { findTarget } from './commands/history.ts'
import { databasesOfRange, narrowToRange } from './ranges.ts'
import type { Session } from './session.ts'

/** What of the revisions is to be looked at: those that are named, those of a range, or what is pending; else what is not left out. */
export interface LintWish {
  readonly targets: readonly Target[]
  readonly range?: Range | undefined
  readonly isPending: boolean
}

/** The revisions of a database that are to be looked at. */
export interface Choice {
  readonly database: Database
  readonly revisions: readonly Revision[]
  /** What kept its revisions from being found. */
  readonly problems: readonly Problem[]
}

/**
 * Picks the revisions. Only what is pending is asked of databases.
 * @throws {DroverError} `USAGE`, `DATABASE_UNKNOWN`, `CONFIG_INVALID` and what targets and ranges can be wrong in
 */
export async function chooseRevisions(
  session: Session,
  workspace: Workspace,
  selected: readonly Database[],
  { targets, range, isPending }: LintWish,
): Promise<readonly Choice[]> {
  if (isPending) return readPending(session, workspace, selected)
  const databases = databasesNamed(workspace, selected, targets, range)
  const results = databases.map((database) => readGraph(workspace, database))
  const read = results.filter((one) => 'graph' in one)
  const failed = results.filter((one) => 'problems' in one)
  const choices = targets.length > 0 ? named(read, targets) : range ? within(read, range) : read.map(afterBaseline)
  return databases.flatMap((database) => [...choices, ...failed].filter((choice) => choice.database === database))
}

interface Read {
  readonly database: Database
  readonly graph: History
}

function readGraph(workspace: Workspace, database: Database): Read | Choice {
  try {
    return { database, graph: readHistory({ root: workspace.root, folder: database.migrations }) }
  } catch (error) {
    return { database, revisions: [], problems: problemsOf(error, database.name) }
  }
}

function databasesNamed(
  workspace: Workspace,
  selected: readonly Database[],
  targets: readonly Target[],
  range: Range | undefined,
): readonly Database[] {
  if (range) return databasesOfRange(range, workspace, selected, 'lint')
  const names = selected.map(({ name }) => name)
  const wanted = new Set(
    targets.flatMap((target) => (target.database === undefined ? names : databasesOfTarget(target, names, 'lint'))),
  )
  return targets.length === 0 ? selected : selected.filter(({ name }) => wanted.has(name))
}

/** The baseline is what was there before anybody looked. */
function afterBaseline({ database, graph }: Read): Choice {
  const after = database.config.lint?.after
  if (after === undefined) return { database, revisions: graph.revisions, problems: [] }
  if (!graph.byId.has(after)) {
    const file = `${database.folder}/database.ts`
    throw new DroverError({
      code: 'CONFIG_INVALID',
      database: database.name,
      file,
      message: `"lint.after" in ${file} is ${after}, and there is no such revision`,
      hint: 'name a revision that is there: pnpm migrate history -d <database>',
    })
  }
  const before = ancestorsOf(graph, [after])
  return { database, revisions: graph.revisions.filter(({ id }) => !before.has(id)), problems: [] }
}

function within(read: readonly Read[], range: Range): readonly Choice[] {
  const { narrowed, problems } = narrowToRange(read, range)
  throwAll(problems)
  return narrowed.map(({ database, revisions }) => ({ database, revisions, problems: [] }))
}

/** A revision that is named without its database belongs to one of them; heads, bases and walks are in each. */
function named(read: readonly Read[], targets: readonly Target[]): readonly Choice[] {
  const found = new Map<Database, Set<string>>(read.map(({ database }) => [database, new Set()]))
  const problems: Problem[] = []
  for (const target of targets) {
    const asked = read.filter(({ database }) => target.database === undefined || target.database === database.name)
    const results = asked.map(({ database, graph }) => ({ database, result: findTarget(graph, target) }))
    const hits = results.flatMap(({ database, result }) => (result.ok ? [{ database, id: result.revision.id }] : []))
    const failures = results.flatMap(({ database, result }) =>
      result.ok ? [] : [{ ...result.problem, database: database.name }],
    )
    const isName = target.anchor?.kind === 'name' || target.branch !== undefined
    if (isName && hits.length > 1) {
      const choices = hits.map(({ database, id }) => `${database.name}/${id}`)
      const hint = `say which: pnpm migrate lint ${choices[0]}`
      problems.push({ code: 'REVISION_AMBIGUOUS', message: `it could be any of ${choices.join(', ')}`, hint })
    } else if (!isName || hits.length === 0) {
      // Found nowhere, it is said once what is wrong with it; one that several begin with says more than one that is unknown.
      const telling = failures.filter(({ code }) => code !== 'REVISION_UNKNOWN')
      const unknown = failures.map((problem) => (asked.length > 1 ? withoutDatabase(problem) : problem))
      problems.push(...(isName ? [...telling, ...unknown].slice(0, 1) : failures))
    }
    for (const { database, id } of hits) found.get(database)!.add(id)
  }
  throwAll(problems)
  return read.map(({ database, graph }) => ({
    database,
    revisions: graph.revisions.filter(({ id }) => found.get(database)!.has(id)),
    problems: [],
  }))
}

function withoutDatabase(problem: Problem): Problem {
  const { database: _, ...rest } = problem
  return rest
}

async function readPending(
  session: Session,
  workspace: Workspace,
  selected: readonly Database[],
): Promise<readonly Choice[]> {
  await using fleet = await session.fleet(workspace, selected)
  const pending = fleet.members.map(({ database, history, state }): Choice => {
    const applied = appliedIds(state)
    return { database, revisions: history.revisions.filter(({ id }) => !applied.has(id)), problems: [] }
  })
  const unread = fleet.unread.map(({ database, problems }) => ({ database, revisions: [], problems }))
  return selected.flatMap((database) => [...pending, ...unread].filter((choice) => choice.database === database))
}

function throwAll(problems: readonly Problem[]): void {
  const [first, ...rest] = problems
  if (first) throw new DroverError([first, ...rest])
}
