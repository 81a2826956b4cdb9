import { join } from 'node:path'

import {
  type Baseline,
  type BaselineOptions,
  type ForeignTable,
  idOfBaseline,
  idOfSnapshot,
  makeBaseline,
  makeBaselineSnapshot,
  readShadowServer,
  startKit,
} from '@drover/drizzle'
import { describeDifference, readHistory, writeGeneratedRevision } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import type { Database, Member, Workspace } from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import type { ExitCode } from '../exit-code.ts'
import { fleetJson, memberJson } from '../render/json.ts'
import { count } from '../render/text.ts'
import type { Session } from '../session.ts'
import { onlyDatabase } from '../targets.ts'
import { readTable, recordAdopted } from './adopt-applied.ts'
import type { AdoptOptions } from './adopt.ts'

/** Makes a first revision that builds the schema of a database as it is, and records it there as applied. */
export async function adoptBaseline(session: Session, options: AdoptOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ mirrors: false, tenants: false })
  const database = onlyDatabase(workspace, selected, 'a baseline')
  const { name } = database
  const source = { root: workspace.root, folder: database.migrations }
  refuseHistory(database, readHistory(source).revisions.length)
  await using fleet = await session.fleet(workspace, [database])
  const [member] = fleet.members
  if (!member) {
    const unread = fleet.unread.flatMap((one) => one.problems)
    return session.finish({ databases: fleetJson([database], fleet) }, unread)
  }
  const table = await readTable(member, options.table)
  const server = await readShadowServer(await session.shadowServer(workspace))
  const from: BaselineOptions = { live: member.connection, server, table, foreign: database.config.foreign }
  const baseline = await makeBaseline(from)
  for (const warning of warningsOf(baseline)) session.warn({ ...warning, database: name })

  if (options.dryRun) {
    session.print(`${session.out.strong(name)}: would make a baseline of ${count(baseline.statements, 'statement')}`)
    return session.finish({ databases: [memberJson(member)] })
  }
  const objection = await findObjection(session, {
    lines: [`${name}: will make a baseline of ${count(baseline.statements, 'statement')}, and record it as applied`],
    question: 'Make the baseline?',
    what: 'the baseline',
    databases: [database],
    yes: options.yes,
  })
  if (objection) return session.finish({ databases: [memberJson(member)] }, [objection])
  const snapshot = await snapshotOf(session, workspace, member, from)
  const id = idOf(table, snapshot)
  const revision = writeGeneratedRevision(
    source,
    member.history,
    { message: messageOf(table), parents: [], created: new Date(), ...(id !== undefined && { id }) },
    { up: baseline.up, ...(snapshot !== undefined && { snapshot }) },
  )
  session.print(`${session.out.strong(name)}: made revision ${revision.id} in ${revision.folder}`)
  const stamp = { member: { ...member, history: readHistory(source) }, forget: [], record: [revision] }
  // Awaited here: the connections are closed when this function returns.
  return await recordAdopted(session, { ...options, yes: true }, workspace, stamp, table)
}

function refuseHistory({ name, migrations }: Database, revisions: number): void {
  if (revisions === 0) return
  throw new DroverError({
    code: 'ADOPTION_REFUSED',
    database: name,
    message: `${migrations} has ${count(revisions, 'revision')} already, and a baseline is the first of a history`,
    hint: `when another database has them too, record them here: pnpm migrate adopt -d ${name}, or pnpm migrate stamp`,
  })
}

function warningsOf({ faults, differences }: Baseline): readonly Problem[] {
  if (faults.length === 0) return []
  return [
    {
      code: 'NOT_PROVED',
      message: 'the baseline does not build the schema that the database has',
      serverNotes: differences.length > 0 ? differences.flatMap((one) => describeDifference(one)) : faults,
      hint: 'correct its migration.sql, which is marked and builds no database until then; this database has no need of it',
    },
  ]
}

/** The Drizzle schema becomes the state after the baseline, so that the next revision holds what is changed from now on. */
async function snapshotOf(
  session: Session,
  workspace: Workspace,
  { database }: Member,
  from: BaselineOptions,
): Promise<string | undefined> {
  const { schema } = database.config
  if (schema === undefined) return undefined
  await using kit = startKit(workspace.root)
  const { snapshot, differences } = await makeBaselineSnapshot(kit, join(workspace.root, database.folder, schema), from)
  if (differences.length > 0) {
    session.warn({
      code: 'SCHEMA_CHANGED',
      database: database.name,
      message: `the Drizzle schema says something else than the database: ${count(differences.length, 'difference')}`,
      serverNotes: differences.flatMap((one) => describeDifference(one)),
      hint: 'correct the schema, delete the revision and make the baseline again; or leave the difference to a revision by hand',
    })
  }
  return snapshot
}

/** Another database that stands where this one did finds the baseline by it. */
function idOf(table: ForeignTable | undefined, snapshot: string | undefined): string | undefined {
  const own = table?.tool === 'Alembic' ? idOfBaseline(table.versions) : undefined
  return own ?? (snapshot === undefined ? undefined : idOfSnapshot(snapshot))
}

function messageOf(table: ForeignTable | undefined): string {
  return table?.tool === 'Alembic' && table.versions.length > 0
    ? `baseline at ${table.versions.join(', ')}`
    : 'baseline'
}
