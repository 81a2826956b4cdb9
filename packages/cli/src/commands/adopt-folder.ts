import { join, resolve } from 'node:path'

import {
  convertWith,
  type ForeignHistory,
  type ForeignRevision,
  type Kit,
  readForeignHistory,
  startKit,
} from '@drover/drizzle'
import { readHistory, writeGeneratedRevisions } from '@drover/engine'
import { buildHistory, DroverError, throwProblems } from '@drover/history'
import type { Database, Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { columns, count } from '../render/text.ts'
import type { Session } from '../session.ts'
import { onlyDatabase } from '../targets.ts'
import type { AdoptOptions } from './adopt.ts'

/** Writes the history of another tool's folder into the migrations of a database. The folder itself stays as it is. */
export async function adoptFolder(session: Session, options: AdoptOptions, folder: string): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ mirrors: false })
  const database = onlyDatabase(workspace, selected, 'a history')
  const { name } = database
  const shown = folder.replace(/(?<=.)\/+$/, '')
  const path = resolve(session.io.cwd, folder)
  refuseOwnFolder(workspace, database, path, shown)
  const source = { root: workspace.root, folder: database.migrations }
  const history = readHistory(source)
  if (history.revisions.length > 0) {
    throw new DroverError({
      code: 'ADOPTION_REFUSED',
      database: name,
      message: `there are ${count(history.revisions.length, 'revision')} already: a history can only be taken over where there is none`,
      hint: 'take it over into a database package of its own, or move those revisions away',
    })
  }

  const foreign = await readForeign(workspace, { path, shown })
  throwProblems(findFaults(foreign).map((problem) => ({ ...problem, database: name })))
  for (const warning of foreign.warnings) session.warn({ ...warning, database: name })
  const tense = options.dryRun ? 'would take over' : 'took over'
  const written = options.dryRun ? foreign.revisions.map((one) => one.folderName) : write(foreign)
  session.print(
    `${session.out.strong(name)}: ${tense} ${count(foreign.revisions.length, 'revision')} of ${foreign.tool} from ${shown}`,
    ...columns(
      foreign.revisions.map((revision, index) => [`  ${revision.id}`, written[index]!, ...derivation(revision)]),
    ),
  )
  if (!options.dryRun) {
    session.print(
      `  next: say what each database has had of them: pnpm migrate adopt -d ${name}`,
      ...(foreign.tool === 'Alembic' ? unfilledNote(name) : []),
    )
  }
  return session.finish({
    databases: [{ name, tool: foreign.tool, revisions: foreign.revisions.map((one) => adoptedJson(database, one)) }],
  })

  function write({ revisions }: ForeignHistory): readonly string[] {
    const drafts = revisions.map((revision) => ({ draft: revision, files: revision.files }))
    return writeGeneratedRevisions(source, history, drafts).map((revision) => revision.folder.split('/').at(-1)!)
  }
}

/** Ids that are not the other tool's own are told. */
function derivation({ id, name, files }: ForeignRevision): readonly string[] {
  const isOwn = name === id || files.snapshot !== undefined
  return isOwn ? [] : [`(${name}, whose id was made from that name)`]
}

function unfilledNote(name: string): readonly string[] {
  return [
    `  their SQL is still to be filled in, as each migration.sql says: databases that have had them need nothing,`,
    `  others can be built when it is there. Fill it in before pnpm migrate adopt -d ${name} if you mean to`,
  ]
}

async function readForeign(
  workspace: Workspace,
  folder: { readonly path: string; readonly shown: string },
): Promise<ForeignHistory> {
  let kit: Kit | undefined
  try {
    return await readForeignHistory(folder, async (snapshots) => {
      if (snapshots.length === 0) return []
      kit = startKit(workspace.root)
      return convertWith(kit, folder.shown)(snapshots)
    })
  } finally {
    await kit?.[Symbol.asyncDispose]()
  }
}

/** What is wrong with the graph of the revisions as they would be written. */
function findFaults({ revisions }: ForeignHistory) {
  const built = buildHistory(
    revisions.map((revision) => ({
      ...revision,
      created: revision.created.toISOString(),
      folder: revision.folderName,
      reversible: revision.files.down !== undefined,
    })),
  )
  return built.ok ? [] : built.problems
}

function refuseOwnFolder(workspace: Workspace, database: Database, path: string, shown: string): void {
  const own = join(workspace.root, database.migrations)
  if (path !== own) return
  throw new DroverError({
    code: 'ADOPTION_REFUSED',
    database: database.name,
    message: `${shown} is the folder into which its history would be taken over`,
    hint: `move the folder away first: git mv ${database.migrations} ${database.folder}/before; folders of drizzle-kit 1.0 may stay, they are revisions already`,
  })
}

function adoptedJson({ migrations }: Database, revision: ForeignRevision): Readonly<Record<string, unknown>> {
  const { id, name, parents, labels, dependsOn, message, created, folderName } = revision
  return {
    id,
    name,
    parents,
    labels,
    dependsOn,
    message,
    created: created.toISOString(),
    folder: `${migrations}/${folderName}`,
  }
}
