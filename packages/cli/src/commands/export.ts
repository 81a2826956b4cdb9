import { resolve } from 'node:path'

import {
  type ExportedRevision,
  type ExportFormat,
  exportHistory,
  type ExportOptions,
  findExportProblems,
  readHistory,
  readScript,
} from '@drover/engine'
import { DroverError, type History, throwProblems } from '@drover/history'
import { type Database, hooksOf, problemsOf, readScripts, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { changeFolder, compareFolder } from '../export-folder.ts'
import { describeExport, exportJson } from '../render/export.ts'
import type { CommonOptions, Session } from '../session.ts'

interface ExportCommandOptions extends CommonOptions {
  readonly format: ExportFormat
  /** A folder, as it was typed. */
  readonly out: string
  readonly schema?: string
  readonly dryRun?: boolean
}

/** Writes the history of one database as files for another runner. Needs no server. */
export async function exportDatabase(session: Session, options: ExportCommandOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace()
  const database = theOnly(selected)
  const { name, migrations } = database
  const { format, out, dryRun = false } = options
  const history = readOne(workspace, database)
  const revisions = await readSides(workspace, database, history)
  const schema = schemaOf(database, options.schema)
  const exportOptions: ExportOptions = { format, migrations, ...(schema && { schema }) }
  throwProblems(findExportProblems(revisions, exportOptions).map((problem) => ({ ...problem, database: name })))
  const files = exportHistory(revisions, exportOptions)
  const folder = { path: resolve(session.io.cwd, out), shown: out }
  const changes = compareFolder(folder, files, migrations)
  if (!dryRun) changeFolder(folder, files, changes)
  const exported = { database: name, format, folder: out, revisions: revisions.length, changes, isDry: dryRun }
  session.print(...describeExport(exported, session.out))
  if (hooksOf(database).length > 0) {
    session.progress(`${name}: its hooks are not exported: no other runner knows when they are due`, name)
  }
  return session.finish({ databases: [exportJson(exported)] })
}

function theOnly(databases: readonly Database[]): Database {
  const [first, second] = databases
  if (first && !second) return first
  throw new DroverError({
    code: 'USAGE',
    message: `a folder takes the history of one database, and there are ${databases.length}: ${databases.map(({ name }) => name).join(', ')}`,
    hint: 'name the database: -d <name>',
  })
}

function readOne({ root }: Workspace, { name, migrations }: Database): History {
  try {
    return readHistory({ root, folder: migrations })
  } catch (error) {
    throwProblems(problemsOf(error, name))
    throw error
  }
}

async function readSides(
  { root }: Workspace,
  { name }: Database,
  history: History,
): Promise<readonly ExportedRevision[]> {
  const steps = history.revisions.map((revision) => ({ direction: 'up', revision }) as const)
  // Looks at the ways back as well.
  const ups = await readScripts(root, [{ name, steps }])
  return Promise.all(
    steps.map(async (step) => {
      const { revision } = step
      const isBack = revision.reversible && revision.language === undefined
      const down = isBack && { down: await readScript(root, revision, 'down') }
      return { revision, up: ups.get(step)!, ...down }
    }),
  )
}

/** Where names without a schema lead. Databases of tenants, and databases that are no tenants', begin where their URLs say. */
function schemaOf({ config: { tenants } }: Database, name: string | undefined): ExportOptions['schema'] {
  const isOfTenants = tenants?.kind === 'schema'
  if (name === undefined && !isOfTenants) return undefined
  return { ...(name !== undefined && { name }), ...(isOfTenants && { behind: tenants.shared }) }
}
