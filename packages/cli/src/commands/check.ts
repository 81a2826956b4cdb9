import { examineScript, readChecksums, readHistory, readScript } from '@drover/engine'
import {
  allHeads,
  DroverError,
  findEdited,
  findGaps,
  findReformatted,
  findUnknown,
  type History,
  missingWayBack,
  type Problem,
  severalHeads,
} from '@drover/history'
import {
  appliedIds,
  type Database,
  findBrokenDependencies,
  findHalfDone,
  type Member,
  type NamedHistory,
  problemsOf,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { standingOf } from '../render/tenants.ts'
import { count } from '../render/text.ts'
import { type CommonOptions, serverFolder, type Session } from '../session.ts'

interface CheckOptions extends CommonOptions {
  readonly offline?: boolean
}

/** What was found of one database. Warnings are worth attending to, notes worth saying, and neither is a fault. */
interface Findings {
  readonly database: Database
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly notes: readonly string[]
  /** Missing when it could not be read. */
  readonly history?: History
}

/**
 * Checks the files of each history, then what its database has had of them. A database that should be there and cannot
 * be reached is a finding; without any database named and without a running development server the files are all there is.
 */
export async function check(session: Session, options: CheckOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace()
  const schemas = await import('../compare-schemas.ts')
  // Loads drizzle-kit while the files are looked at.
  await using comparer = schemas.startComparing(workspace, selected)
  const files = await Promise.all(selected.map((database) => checkFiles(workspace, database)))
  // A history that can be read is compared, whatever else is wrong with it.
  const read = files.filter((finding) => finding.history).map((finding) => finding.database)
  const compared = options.offline ? undefined : await checkDatabases(session, workspace, read)
  const { checkSnapshots } = await import('../check-snapshots.ts')
  const snapshots = await checkSnapshots(session, workspace, files, { isProved: compared !== undefined })
  const broken = checkDependencies(workspace, files)
  const changed = await comparer.findChanges(files)

  const findings = files.map((finding) =>
    join(
      finding,
      [...snapshots.problems, ...broken, ...changed].filter((problem) => problem.database === finding.database.name),
      compared?.find((one) => one.database === finding.database),
      snapshots.notes.get(finding.database) ?? [],
    ),
  )
  for (const { database, problems, notes } of findings) {
    const verdict = problems.length === 0 ? session.out.good('ok') : session.out.bad(count(problems.length, 'problem'))
    session.print(`${session.out.strong(database.name)}: ${verdict}`, ...notes.map((note) => `  ${note}`))
  }
  for (const warning of findings.flatMap((finding) => finding.warnings)) session.warn(warning)
  if (!compared) session.print('the files only: nothing was compared with a database')
  const problems = [
    ...findings.flatMap((finding) => finding.problems),
    ...broken.filter((problem) => problem.database === undefined),
  ]
  const databases = findings.map((finding) => ({
    name: finding.database.name,
    problems: finding.problems,
    warnings: finding.warnings,
    notes: finding.notes,
  }))
  return session.finish({ databases, compared: compared !== undefined }, problems, problems.length === 0 ? 0 : 4)
}

async function checkFiles(workspace: Workspace, database: Database): Promise<Findings> {
  try {
    const history = readHistory({ root: workspace.root, folder: database.migrations })
    const scripts = await readScripts(workspace, history)
    const found = (await Promise.all(scripts.map(examineScript))).flat()
    const unfilled = found.filter((problem) => problem.code === 'UNFILLED')
    const faults = found.filter((problem) => problem.code !== 'UNFILLED')
    const heads = history.heads.length > 1 ? [severalHeads(history.heads)] : []
    return {
      database,
      history,
      problems: [...faults, ...heads].map((problem) => ({ ...problem, database: database.name })),
      warnings: [],
      notes: [
        `${count(history.revisions.length, 'revision')}, head ${history.heads.map((head) => head.id).join(', ') || 'none'}`,
        ...unfilled.map((problem) => problem.message),
        ...history.revisions
          .filter((revision) => !revision.reversible)
          .map((revision) => `${revision.folder} is irreversible: it has no ${missingWayBack(revision).name}`),
      ],
    }
  } catch (error) {
    return { database, problems: problemsOf(error, database.name), warnings: [], notes: [] }
  }
}

/** What is wrong between the histories of all databases; a circle belongs to none of them alone. */
function checkDependencies(workspace: Workspace, selected: readonly Findings[]): readonly Problem[] {
  const histories = workspace.databases.map((database) => {
    const own = selected.find((finding) => finding.database === database)
    return { name: database.name, history: own ? own.history : readIfSound(workspace, database) }
  })
  const unread = histories.filter(({ history }) => !history).map(({ name }) => name)
  return findBrokenDependencies(
    histories.filter((one): one is NamedHistory => one.history !== undefined),
    new Set(unread),
  )
}

/** A history that was not asked about; what is wrong with it is for its own check to say. */
function readIfSound(workspace: Workspace, database: Database): History | undefined {
  try {
    return readHistory({ root: workspace.root, folder: database.migrations })
  } catch (error) {
    if (error instanceof DroverError) return undefined
    throw error
  }
}

async function readScripts(
  workspace: Workspace,
  history: History,
): Promise<readonly Awaited<ReturnType<typeof readScript>>[]> {
  const ups = history.revisions.map((revision) => readScript(workspace.root, revision, 'up'))
  const downs = history.revisions
    // TypeScript has both sides in one file.
    .filter((revision) => revision.reversible && revision.language === undefined)
    .map((revision) => readScript(workspace.root, revision, 'down'))
  return Promise.all([...ups, ...downs])
}

async function checkDatabases(
  session: Session,
  workspace: Workspace,
  databases: readonly Database[],
): Promise<readonly Findings[] | undefined> {
  if (!session.isConfigured(workspace)) {
    const { findEmbedded } = await import('@drover/server')
    if (!(await findEmbedded(serverFolder(workspace.root)))) return undefined
  }
  if (databases.length === 0) return []
  await using fleet = await session.fleet(workspace, databases)
  const members = await Promise.all(fleet.members.map((member) => checkMember(workspace, member)))
  return [...members, ...fleet.unread.map((unread) => ({ ...unread, warnings: [], notes: [] }))]
}

/** What is wrong with tenants one by one; those that are behind are not. */
async function checkTenants(database: Database, tenants: NonNullable<Member['tenants']>): Promise<Findings> {
  const { surveyTenants } = await import('@drover/orchestrator/tenants')
  const survey = await surveyTenants(tenants, { direction: 'up', target: allHeads }, {})
  const unread = survey.unread.map(({ problem }) => problem)
  const problems = survey.unusable.map(({ slug, problem }) => ({ ...problem, message: `${slug}: ${problem.message}` }))
  return {
    database,
    problems: [...problems, ...unread].map((problem) => ({ ...problem, database: database.name })),
    warnings: [],
    notes: [standingOf(survey)],
  }
}

async function checkMember(workspace: Workspace, member: Member): Promise<Findings> {
  const { database, history, state, tenants } = member
  if (tenants) return checkTenants(database, tenants)
  const halfDone = findHalfDone(member)
  const applied = appliedIds(state)
  const known = history.revisions.filter((revision) => applied.has(revision.id))
  const checksums = await readChecksums(workspace.root, known, state.applied)
  const problems = [
    ...(halfDone ? [halfDone] : []),
    ...findUnknown(history, applied),
    ...findGaps(history, applied),
    ...findEdited(history, state.applied, checksums),
  ]
  return {
    database,
    problems: problems.map((problem) => ({ ...problem, database: database.name })),
    warnings: findReformatted(history, state.applied, checksums).map((problem) => ({
      ...problem,
      database: database.name,
    })),
    notes: [`${count(applied.size, 'revision')} applied in the database`],
  }
}

function join(
  files: Findings,
  broken: readonly Problem[],
  compared: Findings | undefined,
  notes: readonly string[],
): Findings {
  return {
    ...files,
    problems: [...files.problems, ...broken, ...(compared?.problems ?? [])],
    warnings: [...files.warnings, ...(compared?.warnings ?? [])],
    notes: [...files.notes, ...notes, ...(compared?.notes ?? [])],
  }
}
