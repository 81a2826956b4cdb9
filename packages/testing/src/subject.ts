import { readHistoryMeanwhile } from '@drover/engine'
import { DroverError, type History } from '@drover/history'
import { type Database, discoverWorkspace, isExternal, selectDatabases, type Workspace } from '@drover/orchestrator'

import type { Owner } from './template/owner.ts'

/** A database of the workspace, as its files are now. */
export interface Subject {
  readonly workspace: Workspace
  readonly database: Database
  readonly history: History
  /** Checksums of the texts of the up sides, by id. */
  readonly texts: ReadonlyMap<string, string>
}

/** What a database for tests is to hold. */
export interface Wanted {
  readonly subject: Subject
  /** How far its history is run, as on the command line. */
  readonly target: string
  /** Whom it belongs to, and who runs the history. Default: the administrator of the server. */
  readonly owner?: Owner
}

/**
 * Reads the files of a database. One of tenants is read as if it were one of them: its history makes a database of its own.
 * @param root a folder in the workspace. Default: the current one
 * @throws {DroverError} `DATABASE_UNKNOWN`, `USAGE` for a database that has no revisions, or what is wrong with the files
 */
export async function readSubject(name: string, root = process.cwd()): Promise<Subject> {
  const workspace = await discoverWorkspace(root)
  const database = withoutTenants(selectDatabases(workspace, [name])[0]!)
  if (isExternal(database)) {
    throw new DroverError({
      code: 'USAGE',
      database: database.name,
      message: 'it migrates itself, so there are no revisions to make a database for tests from',
      hint: `let ${database.config.external?.managedBy} make it, or name another database`,
    })
  }
  const texts = new Map<string, string>()
  const history = await readHistoryMeanwhile({ root: workspace.root, folder: database.migrations }, texts)
  return { workspace, database, history, texts }
}

function withoutTenants(database: Database): Database {
  const { tenants: _, ...config } = database.config
  return { ...database, config }
}
