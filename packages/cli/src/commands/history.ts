import { readHistory } from '@drover/engine'
import { DroverError, findRevision, type History, parseTarget, type Problem, type Revision } from '@drover/history'
import { type Database, databasesOfTarget, problemsOf, selectDatabases, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { columns } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'

/** Lists the revisions of each database, newest first. Needs no server. */
export async function history(session: Session, options: CommonOptions): Promise<ExitCode> {
  const { read, problems } = await readAll(session)
  for (const { database, graph } of read) {
    session.print(session.out.strong(`${database.name} (${database.migrations})`))
    const newestFirst = graph.revisions.toReversed()
    session.print(...columns(newestFirst.map((revision) => revisionCells(graph, revision, options.verbose === true))))
  }
  return session.finish(
    { databases: read.map(({ database, graph }) => historyJson(database, graph, graph.revisions)) },
    problems,
  )
}

/** Lists the heads of each history. Needs no server. */
export async function heads(session: Session): Promise<ExitCode> {
  const { read, problems } = await readAll(session)
  session.print(
    ...columns(
      read.flatMap(({ database, graph }) => graph.heads.map((head) => [database.name, head.id, head.message])),
    ),
  )
  return session.finish(
    { databases: read.map(({ database, graph }) => historyJson(database, graph, graph.heads)) },
    problems,
  )
}

/** Shows one revision. Needs no server. */
export async function show(session: Session, _options: CommonOptions, text = ''): Promise<ExitCode> {
  const parsed = parseTarget(text)
  if (!parsed.ok) throw new DroverError(parsed.problem)
  const { target } = parsed
  const { workspace, read, problems } = await readAll(session)
  if (problems.length > 0) return session.finish({ databases: [] }, problems)
  const [named] = target.database === undefined ? [] : selectDatabases(workspace, [target.database])
  const selected = read.map(({ database }) => database.name)
  const names = named ? databasesOfTarget({ ...target, database: named.name }, selected, 'show') : selected
  const searched = read.filter(({ database }) => names.includes(database.name))
  const results = searched.map(({ database, graph }) => ({ database, graph, found: findTarget(graph, target) }))
  const hits = results.flatMap(({ database, graph, found }) =>
    found.ok ? [{ database, graph, revision: found.revision }] : [],
  )
  const [hit] = hits
  if (!hit) {
    // An ambiguous prefix says more than its being unknown to the other databases.
    const failures = results.flatMap(({ found, database }) =>
      found.ok ? [] : [{ ...found.problem, database: database.name }],
    )
    const telling = failures.filter((problem) => problem.code !== 'REVISION_UNKNOWN')
    return session.finish({ databases: [] }, telling.length > 0 ? telling : failures.slice(0, 1).map(withoutDatabase))
  }
  if (hits.length > 1) {
    const choices = hits.map(({ database, revision }) => `${database.name}/${revision.id}`)
    const message = `"${text}" could be any of ${choices.join(', ')}`
    return session.finish({ databases: [] }, [
      { code: 'REVISION_AMBIGUOUS', message, hint: `say which: pnpm migrate show ${choices[0]}` },
    ])
  }
  session.print(...describeRevision(hit.database, hit.graph, hit.revision))
  return session.finish({ databases: [historyJson(hit.database, hit.graph, [hit.revision])] })
}

interface Read {
  readonly database: Database
  readonly graph: History
}

async function readAll(
  session: Session,
): Promise<{ readonly workspace: Workspace; readonly read: readonly Read[]; readonly problems: readonly Problem[] }> {
  const { workspace, selected } = await session.workspace()
  const read: Read[] = []
  const problems: Problem[] = []
  for (const database of selected) {
    try {
      read.push({ database, graph: readHistory({ root: workspace.root, folder: database.migrations }) })
    } catch (error) {
      problems.push(...problemsOf(error, database.name))
    }
  }
  return { workspace, read, problems }
}

function findTarget(
  graph: History,
  target: { readonly kind: string; readonly prefix?: string },
): ReturnType<typeof findRevision> {
  if (target.kind === 'head' && graph.heads.length === 1) return { ok: true, revision: graph.heads[0]! }
  if (target.kind === 'revision' && target.prefix !== undefined) return findRevision(graph, target.prefix)
  return {
    ok: false,
    problem: {
      code: 'TARGET_INVALID',
      message: 'show needs one revision',
      hint: 'give its id, or a unique prefix of it',
    },
  }
}

function withoutDatabase(problem: Problem): Problem {
  const { database: _, ...rest } = problem
  return rest
}

function revisionCells(graph: History, revision: Revision, verbose: boolean): readonly string[] {
  const marks = [
    ...(graph.heads.includes(revision) ? ['head'] : []),
    ...(revision.parents.length === 0 ? ['base'] : []),
    ...(revision.reversible ? [] : ['irreversible']),
  ]
  const message = `${revision.message}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`
  return [
    `  ${revision.id}`,
    ...(verbose ? [revision.created, revision.parents.join(' ') || '-', revision.folder] : []),
    message,
  ]
}

function describeRevision(database: Database, graph: History, revision: Revision): readonly string[] {
  const followers = graph.followers.get(revision.id)!
  const rows = [
    ['revision', revision.id],
    ['database', database.name],
    ['message', revision.message],
    ['created', revision.created],
    ['parents', revision.parents.join(', ') || 'none: it is a base'],
    ...(revision.dependsOn.length > 0 ? [['depends on', revision.dependsOn.join(', ')]] : []),
    ...(revision.labels.length > 0 ? [['labels', revision.labels.join(', ')]] : []),
    ['followed by', followers.join(', ') || 'none: it is a head'],
    ['folder', revision.folder],
    ['reversible', revision.reversible ? 'yes' : 'no: it has no down.sql'],
  ]
  return columns(rows)
}

function historyJson(
  database: Database,
  graph: History,
  revisions: readonly Revision[],
): Readonly<Record<string, unknown>> {
  return {
    name: database.name,
    revisions: revisions.map((revision) => ({
      id: revision.id,
      parents: revision.parents,
      labels: revision.labels,
      dependsOn: revision.dependsOn,
      message: revision.message,
      created: revision.created,
      reversible: revision.reversible,
      isHead: graph.heads.includes(revision),
      isBase: revision.parents.length === 0,
      folder: revision.folder,
    })),
  }
}
