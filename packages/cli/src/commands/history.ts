import { readHistory } from '@drover/engine'
import {
  DroverError,
  type findRevision,
  findUnknown,
  formatTarget,
  type History,
  missingWayBack,
  parseTarget,
  type Problem,
  resolvePlace,
  type Revision,
  scriptFile,
  type Target,
} from '@drover/history'
import {
  appliedIds,
  type Database,
  databasesOfTarget,
  problemsOf,
  selectDatabases,
  statusOf,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { databasesOfRange, narrowToRange, parseRangeOption } from '../ranges.ts'
import type { Standing } from '../render/graph.ts'
import { historyGraph, historyList, type ShownHistory, titleOf } from '../render/history.ts'
import { dependenciesOf } from '../render/revision.ts'
import { columns, count, duration } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'

interface HistoryOptions extends CommonOptions {
  readonly range?: string
  readonly indicateCurrent?: boolean
  readonly format?: 'list' | 'graph' | 'mermaid' | 'dot'
  readonly ascii?: boolean
}

/** Shows the revisions of each database, newest first. Needs no server, unless it is to say what is applied. */
export async function history(session: Session, options: HistoryOptions): Promise<ExitCode> {
  const range = parseRangeOption(options.range)
  const {
    workspace,
    read,
    problems: unreadable,
  } = await readAll(session, (all, selected) => (range ? databasesOfRange(range, all, selected) : selected))
  const { narrowed: shown, problems: unresolved } = narrowToRange(read, range)
  const { standings, problems: unreachable } = options.indicateCurrent
    ? await readStandings(session, workspace, shown)
    : { standings: noStandings, problems: [] }
  const histories = shown.map((one) => {
    const standingOf = standings.get(one.database.name)
    return { ...one, ...(standingOf && { standingOf }) }
  })
  await printHistories(session, options, histories)
  return session.finish({ databases: histories.map((one) => historyJson(one)) }, [
    ...unreadable,
    ...unresolved,
    ...unreachable,
  ])
}

/** Lists the heads of each history. Needs no server. */
export async function heads(session: Session, options: CommonOptions): Promise<ExitCode> {
  const { read, problems } = await readAll(session)
  session.print(
    ...columns(
      read.flatMap(({ database, graph }) =>
        graph.heads.map((head) => {
          const dependencies = options.verbose ? dependenciesOf(head) : []
          return [
            database.name,
            head.id,
            ...(options.verbose ? [head.created, head.parents.join(' ') || '-', head.folder] : []),
            `${titleOf(head)}${dependencies.length > 0 ? ` (depends on ${dependencies.join(', ')})` : ''}`,
          ]
        }),
      ),
    ),
  )
  return session.finish(
    { databases: read.map(({ database, graph }) => historyJson({ database, graph, revisions: graph.heads })) },
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
    // What is wrong with the target alone is said once, whatever the database.
    const isSame = telling.length > 1 && telling.every((problem) => problem.message === telling[0]?.message)
    const shown = telling.length > 0 && !isSame ? telling : [...telling, ...failures].slice(0, 1).map(withoutDatabase)
    return session.finish({ databases: [] }, shown)
  }
  if (hits.length > 1) {
    const choices = hits.map(({ database, revision }) => `${database.name}/${revision.id}`)
    const message = `"${text}" could be any of ${choices.join(', ')}`
    return session.finish({ databases: [] }, [
      { code: 'REVISION_AMBIGUOUS', message, hint: `say which: pnpm migrate show ${choices[0]}` },
    ])
  }
  session.print(...describeRevision(hit.database, hit.graph, hit.revision))
  return session.finish({ databases: [historyJson({ ...hit, revisions: [hit.revision] })] })
}

interface Read {
  readonly database: Database
  readonly graph: History
}

export interface Shown extends Read, ShownHistory {}

type Standings = ReadonlyMap<string, (id: string) => Standing>

const noStandings: Standings = new Map()

/** Reads the histories of the databases that a command is about, or of those that `choose` picks of them. */
export async function readAll(
  session: Session,
  choose: (workspace: Workspace, selected: readonly Database[]) => readonly Database[] = (_, selected) => selected,
): Promise<{ readonly workspace: Workspace; readonly read: readonly Read[]; readonly problems: readonly Problem[] }> {
  const { workspace, selected } = await session.workspace()
  const read: Read[] = []
  const problems: Problem[] = []
  for (const database of choose(workspace, selected)) {
    try {
      read.push({ database, graph: readHistory({ root: workspace.root, folder: database.migrations }) })
    } catch (error) {
      problems.push(...problemsOf(error, database.name))
    }
  }
  return { workspace, read, problems }
}

/**
 * Asks the databases what they have had. One that cannot be reached has no standing, and hides no other. What a
 * database has had and no file tells of stands nowhere in the history, so it is warned of.
 */
async function readStandings(
  session: Session,
  workspace: Workspace,
  shown: readonly Shown[],
): Promise<{ readonly standings: Standings; readonly problems: readonly Problem[] }> {
  await using fleet = await session.fleet(
    workspace,
    shown.map(({ database }) => database),
  )
  const standings = new Map(
    fleet.members.map((member) => {
      const applied = appliedIds(member.state)
      const current = new Set(statusOf(member).current)
      const standingOf = (id: string): Standing =>
        current.has(id) ? 'current' : applied.has(id) ? 'applied' : 'pending'
      return [member.database.name, standingOf]
    }),
  )
  for (const { database, history: files, state } of fleet.members) {
    const unknown = findUnknown(files, appliedIds(state))
    for (const problem of unknown) session.warn({ ...problem, database: database.name })
  }
  return { standings, problems: fleet.unread.flatMap(({ problems }) => problems) }
}

async function printHistories(session: Session, options: HistoryOptions, histories: readonly Shown[]): Promise<void> {
  const format = options.format ?? (session.io.stdout.isTTY ? 'graph' : 'list')
  const verbose = options.verbose === true
  const diagrams = () => histories.map((one) => ({ ...one, database: one.database.name }))
  switch (format) {
    case 'mermaid': {
      const { mermaidOf } = await import('../render/mermaid.ts')
      return session.print(...mermaidOf(diagrams()))
    }
    case 'dot': {
      const { dotOf } = await import('../render/dot.ts')
      return session.print(...dotOf(diagrams()))
    }
    case 'list':
    case 'graph': {
      const characters = options.ascii || !isUtf8(session.io.env) ? 'ascii' : 'unicode'
      histories.forEach((one, at) => {
        if (format === 'graph' && at > 0) session.print('')
        session.print(session.out.strong(`${one.database.name} (${one.database.migrations})`))
        session.print(
          ...(format === 'list'
            ? historyList(one, verbose)
            : historyGraph(one, { characters, verbose, style: session.out })),
        )
      })
    }
  }
}

/** Whether what reads the output understands more than ASCII, as far as the environment tells. */
function isUtf8(env: Session['io']['env']): boolean {
  return /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '')
}

/** The one revision that a target stands for, whatever is applied. */
export function findTarget(graph: History, target: Target): ReturnType<typeof findRevision> {
  const place = resolvePlace(graph, target)
  if (!place.ok) return place
  const [id, ...others] = place.ids
  if (id !== undefined && others.length === 0) return { ok: true, revision: graph.byId.get(id)! }
  const message = `"${formatTarget(target)}" is not one revision`
  return {
    ok: false,
    problem: { code: 'TARGET_INVALID', message, hint: 'give an id, a unique prefix of it, or a label' },
  }
}

function withoutDatabase(problem: Problem): Problem {
  const { database: _, ...rest } = problem
  return rest
}

function describeRevision(database: Database, graph: History, revision: Revision): readonly string[] {
  const followers = graph.followers.get(revision.id)!
  const dependencies = dependenciesOf(revision)
  const rows = [
    ['revision', revision.id],
    ['database', database.name],
    ['message', revision.message],
    ['created', revision.created],
    ['parents', revision.parents.join(', ') || 'none: it is a base'],
    ...(dependencies.length > 0 ? [['depends on', dependencies.join(', ')]] : []),
    ...(revision.labels.length > 0 ? [['labels', revision.labels.join(', ')]] : []),
    ['followed by', followers.join(', ') || 'none: it is a head'],
    ['folder', revision.folder],
    ['reversible', revision.reversible ? 'yes' : `no: it has no ${missingWayBack(revision).name}`],
    ...(revision.phase ? [['phase', revision.phase]] : []),
    ...(revision.language === 'typescript' ? [['runs', `the code in ${scriptFile(revision, 'up')}`]] : []),
    ...(revision.batch ? [['batches', batchText(revision.batch)]] : []),
    ...(revision.transaction === 'none' ? [['transaction', 'none: its statements run one by one']] : []),
    ...(revision.transaction === 'own' ? [['transaction', 'own: it begins and ends its transactions itself']] : []),
  ]
  return columns(rows)
}

function batchText({ range, pauseMs }: NonNullable<Revision['batch']>): string {
  const size = range ? `of ${count(range.size, 'row')} by ${range.key}` : 'until it changes nothing'
  return pauseMs > 0 ? `${size}, ${duration(pauseMs)} between two` : size
}

function historyJson({ database, graph, revisions, standingOf }: Shown): Readonly<Record<string, unknown>> {
  return {
    name: database.name,
    revisions: revisions.map((revision) => {
      const standing = standingOf?.(revision.id)
      return {
        id: revision.id,
        parents: revision.parents,
        labels: revision.labels,
        dependsOn: dependenciesOf(revision),
        message: revision.message,
        created: revision.created,
        reversible: revision.reversible,
        ...(revision.phase && { phase: revision.phase }),
        ...(revision.batch && { batch: revision.batch }),
        isHead: graph.heads.includes(revision),
        isBase: revision.parents.length === 0,
        ...(standing && { isCurrent: standing === 'current', isApplied: standing !== 'pending' }),
        folder: revision.folder,
      }
    }),
  }
}
