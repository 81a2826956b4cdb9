import {
  findDrift,
  type ForeignTable,
  foreignObjectsOf,
  readForeignTable,
  readShadowServer,
  recognise,
} from '@drover/drizzle'
import { describeDifference, findScriptProblems, readScript } from '@drover/engine'
import { DroverError, type Problem, type Revision } from '@drover/history'
import { appliedIds, type DatabaseStamp, type Member, problemsOf, type Workspace } from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import { declaredExtensions, declaredRoles } from '../declared-roles.ts'
import type { ExitCode } from '../exit-code.ts'
import { fleetJson } from '../render/json.ts'
import { describeStamps, stampPlanJson } from '../render/stamp.ts'
import { count } from '../render/text.ts'
import type { Session } from '../session.ts'
import { onlyDatabase } from '../targets.ts'
import type { AdoptOptions } from './adopt.ts'
import { carryOutStamps } from './stamp.ts'

/**
 * Records what another tool's table says has been applied, without running anything. That table stays as it is. While
 * anything in it is not understood, nothing is recorded.
 */
export async function adoptApplied(session: Session, options: AdoptOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  const database = onlyDatabase(workspace, selected, 'what another tool has applied')
  await using fleet = await session.fleet(workspace, [database])
  const [member] = fleet.members
  if (!member) {
    const unread = fleet.unread.flatMap((one) => one.problems)
    return session.finish({ databases: fleetJson([database], fleet) }, unread)
  }
  const table = await findTable(member, options.table)
  refuseEmptyHistory(member, table)
  const recognition = recognise(table, workspace.root, member.history, { acceptEdited: options.acceptEdited === true })
  const naming = (problem: Problem) => ({ ...problem, database: database.name })
  for (const warning of recognition.warnings) session.warn(naming(warning))
  if (recognition.problems.length > 0) {
    return session.finish({ databases: fleetJson([database], fleet) }, recognition.problems.map(naming))
  }

  const already = appliedIds(member.state)
  const stamp: DatabaseStamp = { member, forget: [], record: recognition.applied.filter(({ id }) => !already.has(id)) }
  if (stamp.record.length > 0) {
    // Awaited here and below: the connections are closed when this function returns.
    for (const warning of await compareWithLive(session, workspace, stamp, table)) session.warn(naming(warning))
  }
  if (options.dryRun) {
    session.print(...describeStamps([stamp], 'would', session.out))
    return session.finish({ databases: [stampPlanJson(stamp)] })
  }
  return await recordAdopted(session, options, workspace, stamp, table)
}

/** Asks, records, and says what becomes of the other tool's table. */
export async function recordAdopted(
  session: Session,
  options: AdoptOptions,
  workspace: Workspace,
  stamp: DatabaseStamp,
  table: ForeignTable | undefined,
): Promise<ExitCode> {
  if (stamp.record.length > 0) {
    const objection = await findObjection(session, {
      lines: describeStamps([stamp], 'will', session.err),
      question: 'Record these revisions?',
      what: 'the adoption',
      databases: [stamp.member.database],
      yes: options.yes,
    })
    if (objection) return session.finish({ databases: [stampPlanJson(stamp)] }, [objection])
  }
  const exitCode = await carryOutStamps(session, { ...options, acceptUnfilled: true }, workspace, [stamp])
  if (exitCode === 0 && table) session.print(...farewell(stamp.member, table))
  return exitCode
}

function farewell({ database }: Member, table: ForeignTable): readonly string[] {
  const [object] = foreignObjectsOf(table)
  return [
    `  ${table.shown} is left as it is; when ${table.tool} is no longer used here: drop table ${table.shown};`,
    `  until then, so that drift does not report it: foreign: ['${object}'] in ${database.folder}/database.ts`,
  ]
}

async function findTable(member: Member, named: string | undefined): Promise<ForeignTable> {
  const table = await readTable(member, named)
  if (table) return table
  const { name } = member.database
  throw new DroverError({
    code: 'ADOPTION_REFUSED',
    database: name,
    message: 'it has no table of drizzle-orm (__drizzle_migrations) and none of Alembic (alembic_version)',
    hint: `name it with --table if it is called otherwise; if another tool made the database, say where it stands: pnpm migrate stamp head -d ${name}`,
  })
}

/** Reads the table of another tool in a database, if there is one. */
export async function readTable(member: Member, named: string | undefined): Promise<ForeignTable | undefined> {
  try {
    return await readForeignTable(member.connection, named)
  } catch (error) {
    const [first, ...rest] = problemsOf(error, member.database.name)
    throw new DroverError([first!, ...rest], { cause: error })
  }
}

function refuseEmptyHistory({ database, history }: Member, table: ForeignTable): void {
  if (history.revisions.length > 0) return
  throw new DroverError({
    code: 'ADOPTION_REFUSED',
    database: database.name,
    message: `${table.shown} says what is applied, and ${database.migrations} has no revisions to compare it with`,
    hint: `take the folder over first: pnpm migrate adopt <folder> -d ${database.name}; when it is lost: pnpm migrate adopt -d ${database.name} --baseline`,
  })
}

/** Compares what the recorded revisions build with the database as it is. What is different keeps nothing from being recorded. */
async function compareWithLive(
  session: Session,
  workspace: Workspace,
  { member, record }: DatabaseStamp,
  table: ForeignTable,
): Promise<readonly Problem[]> {
  const { history, connection, database, state } = member
  const applied = new Set([...appliedIds(state), ...record.map(({ id }) => id)])
  const unfilled = await findUnfilled(
    workspace,
    history.revisions.filter(({ id }) => applied.has(id)),
  )
  if (unfilled.length > 0) {
    session.progress(
      `${database.name}: not compared with what its history builds: the SQL of ${count(unfilled.length, 'revision')} is not there`,
      database.name,
    )
    return []
  }
  try {
    const server = await readShadowServer(await session.shadowServer(workspace))
    const foreign = [...database.config.foreign, ...declaredExtensions(database), ...foreignObjectsOf(table)]
    const { root } = workspace
    const roles = declaredRoles(database)
    const drift = await findDrift({ live: connection, server, root, history, applied, foreign, roles })
    if (drift.differences.length === 0) {
      session.progress(
        `${database.name}: as these revisions build it (${count(drift.objects, 'object')} compared)`,
        database.name,
      )
      return []
    }
    return [
      {
        code: 'DRIFT',
        message: `it is not as these revisions build it: ${count(drift.differences.length, 'difference')}`,
        serverNotes: drift.differences.flatMap((difference) => describeDifference(difference)),
        hint: 'they are recorded all the same, because they were applied; what was changed besides is for a revision of its own, or to be undone by hand. See it again with: pnpm migrate drift -d <database>',
      },
    ]
  } catch (error) {
    return problemsOf(error, database.name).map((problem) => ({
      ...problem,
      message: `it could not be compared with what these revisions build: ${problem.message}`,
    }))
  }
}

async function findUnfilled(workspace: Workspace, revisions: readonly Revision[]): Promise<readonly Revision[]> {
  const scripts = await Promise.all(revisions.map((revision) => readScript(workspace.root, revision, 'up')))
  return scripts
    .filter((script) => findScriptProblems(script).some(({ code }) => code === 'UNFILLED'))
    .map(({ revision }) => revision)
}
