import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { dumpHistory, readShadowServer, schemaOf, type ShadowServer } from '@drover/drizzle'
import {
  parseSnapshot,
  readChecksums,
  readHistory,
  readSnapshot,
  type SchemaSnapshot,
  writeSnapshot,
} from '@drover/engine'
import { digestOf, DroverError, type History, throwProblems } from '@drover/history'
import {
  type Database,
  hasTenants,
  type InitdbFile,
  isExternal,
  isMirror,
  problemsOf,
  readSnapshotState,
  snapshotCommand,
  type Workspace,
  writeInitdb,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { describeInitdb, describeSnapshot, initdbJson, type MadeSnapshot, snapshotJson } from '../render/snapshot.ts'
import type { CommonOptions, Session } from '../session.ts'
import { tenantPlaceOf } from '../tenants.ts'
import { version } from '../version.ts'

interface SnapshotOptions extends CommonOptions {
  readonly dryRun?: boolean
  /** A folder, as it was typed. */
  readonly initdb?: string
}

/**
 * Writes down the schema that histories build, for each database that has the history of another one or has a snapshot already, or
 * that is named; with `initdb` also the files from which an image of PostgreSQL makes the databases. No database is touched.
 */
export async function snapshot(session: Session, options: SnapshotOptions): Promise<ExitCode> {
  const { workspace, selected, isNamed } = await session.workspace({ external: options.initdb !== undefined })
  const { root } = workspace
  const isForInitdb = (database: Database) => isNamed || isExternal(database) || isMirror(database)
  const isForFile = (database: Database) => isNamed || isMirror(database) || existsSync(join(root, database.snapshot))
  const own = selected.filter((database) => !isExternal(database) && isForFile(database))
  if (own.length === 0 && !(isNamed && options.initdb !== undefined)) {
    throw new DroverError({
      code: 'USAGE',
      message: 'no database has a schema.sql, nor the history of another one, so there is nothing to write anew',
      hint: `name the database whose schema is to be written: ${snapshotCommand('<name>')}`,
    })
  }
  const made = await makeSnapshots(session, workspace, own)
  const initdb = options.initdb === undefined ? [] : await planInitdb(workspace, selected.filter(isForInitdb), made)
  if (!options.dryRun) {
    for (const { database, text, isNew } of made) if (isNew) save(root, database.snapshot, text)
    if (options.initdb !== undefined) saveAll(session, options.initdb, initdb)
  }
  session.print(...describeSnapshot(made, options.dryRun === true, session.out))
  session.print(...describeInitdb(options.initdb ?? '', initdb, options.dryRun === true))
  return session.finish({
    databases: made.map((one) => snapshotJson(one, options.dryRun === true)),
    ...(options.initdb !== undefined && { initdb: initdb.map((file) => initdbJson(options.initdb!, file)) }),
  })
}

/** Makes them one after the other: each takes a few seconds of a whole core. Databases of one history share the work. */
async function makeSnapshots(
  session: Session,
  workspace: Workspace,
  databases: readonly Database[],
): Promise<readonly MadeSnapshot[]> {
  const { root } = workspace
  const bodies = new Map<string, string>()
  let server: Promise<ShadowServer> | undefined
  const findServer = async () => readShadowServer(await session.shadowServer(workspace))
  const made: MadeSnapshot[] = []
  for (const database of databases) {
    try {
      const history = readHistory({ root, folder: database.migrations })
      const extensions = database.config.access?.extensions ?? []
      const tenant = tenantPlaceOf(database)
      const key = JSON.stringify([database.migrations, extensions, tenant])
      const body =
        bodies.get(key) ??
        (await dumpHistory({
          root,
          history,
          extensions,
          tenant,
          server: () => (server ??= findServer()),
          environment: session.environment(workspace),
          onProgress: (line) => session.progress(`${database.name}: ${line}`, database.name),
        }))
      bodies.set(key, body)
      made.push(await compare(root, database, history, body))
    } catch (error) {
      throwProblems(problemsOf(error, database.name))
    }
  }
  return made
}

/**
 * Keeps the file that is there where nothing but rows would change: what a revision fills in may be random, or the time, and the file
 * would be another one each time.
 */
async function compare(root: string, database: Database, history: History, body: string): Promise<MadeSnapshot> {
  const checksums = await readChecksums(root, history.revisions)
  const revisions = history.revisions.map(({ id }) => ({ id, digest: digestOf(checksums.get(id)!) }))
  const write = (statements: string) =>
    writeSnapshot({
      migrations: database.migrations,
      heads: history.heads.map(({ id }) => id),
      revisions,
      body: statements,
      command: snapshotCommand(database.name),
      isOfTenant: tenantPlaceOf(database) !== undefined,
    })
  const text = write(body)
  const now = parseSnapshot(database.snapshot, text)
  const before = readSnapshot(root, database.snapshot)
  if (now.kind !== 'read') throw new Error('a snapshot can be read that was just written')
  const common = { database, history, statements: now.snapshot.statements.length }
  if (before.kind === 'read') {
    const isSame = schemaTextOf(before.snapshot) === schemaTextOf(now.snapshot)
    const kept = isSame ? write(before.snapshot.body) : text
    if (kept === before.snapshot.sql.replaceAll('\r\n', '\n')) return { ...common, text: kept, isNew: false }
  }
  return { ...common, text, isNew: true }
}

function schemaTextOf({ statements }: SchemaSnapshot): string {
  return schemaOf(statements.map((statement) => statement.text)).join(';')
}

async function planInitdb(
  { root }: Workspace,
  databases: readonly Database[],
  made: readonly MadeSnapshot[],
): Promise<readonly InitdbFile[]> {
  const parts = databases.map(async (database) => {
    const own = made.find((one) => one.database === database)
    // Tenants are made one by one, when it is there.
    if (!own || hasTenants(database)) return { database }
    // As it will be on the disk: with --dry-run it is not there yet.
    const state = await readSnapshotState(root, database, own.history, own.text)
    if (state.kind !== 'usable') throw new Error('a snapshot can be used that was just written')
    return { database, schema: { history: own.history, state } }
  })
  return writeInitdb(await Promise.all(parts), version)
}

function saveAll(session: Session, folder: string, files: readonly InitdbFile[]): void {
  for (const { name, text, executable } of files) {
    const path = save(session.io.cwd, join(folder, name), text)
    chmodSync(path, executable ? 0o755 : 0o644)
  }
}

function save(root: string, file: string, text: string): string {
  const path = resolve(root, file)
  try {
    mkdirSync(resolve(path, '..'), { recursive: true })
    writeFileSync(path, text)
    return path
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new DroverError(
      { code: 'WRITE_FAILED', message: `${file} cannot be written${reason}`, hint: 'check its folder' },
      { cause: error },
    )
  }
}
