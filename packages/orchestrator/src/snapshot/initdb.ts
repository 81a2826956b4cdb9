import { writeSnapshotScript } from '@drover/engine'
import { DroverError, type History, type Problem, throwProblems } from '@drover/history'

import { uuidOf } from '../release/offline-release.ts'
import { type Database, isExternal } from '../workspace/discover.ts'
import type { SnapshotState } from './snapshot-state.ts'

/** A database that an image of PostgreSQL is to come up with. */
export interface InitdbPart {
  readonly database: Database
  /** Missing for one that migrates itself, which is only created. */
  readonly schema?: { readonly history: History; readonly state: Extract<SnapshotState, { readonly kind: 'usable' }> }
}

/** A file for `/docker-entrypoint-initdb.d`. */
export interface InitdbFile {
  readonly name: string
  readonly text: string
  readonly executable: boolean
  /** The database that it makes; missing for the one that creates all of them. */
  readonly database?: string
}

/**
 * Writes what the image of PostgreSQL runs, in the order of the names, when its data folder is new: one script that creates the
 * databases, and one for each schema with the records of its revisions. The same snapshots give the same texts.
 * @throws {DroverError} `CONFIG_INVALID` for a name of a database that a script cannot hold
 */
export function writeInitdb(parts: readonly InitdbPart[], version: string): readonly InitdbFile[] {
  throwProblems(parts.flatMap(({ database }) => findUnusableName(database)))
  const schemas = parts.flatMap(({ database, schema }) =>
    schema && !isExternal(database) ? [{ database, schema }] : [],
  )
  return [
    {
      name: '000_init_databases.sh',
      executable: true,
      text: writeCreation(parts.map(({ database }) => database.config.database)),
    },
    ...schemas.map(({ database, schema }, at) => ({
      name: `${String(at + 1).padStart(3, '0')}_${database.name}_schema.sql`,
      executable: false,
      database: database.name,
      text: writeSchema(database, schema, version),
    })),
  ]
}

function writeSchema(
  { name, config }: Database,
  { history, state }: NonNullable<InitdbPart['schema']>,
  version: string,
): string {
  const { snapshot, checksums } = state
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const revisions = history.revisions
    .filter(({ id }) => held.has(id))
    .map((revision) => ({ revision, checksum: checksums.get(revision.id)! }))
  if (revisions.length === 0) {
    throw new DroverError({
      code: 'SNAPSHOT_FAILED',
      database: name,
      message: 'its history has no revisions, so there is nothing to make it from',
      hint: 'make the first one, or leave the database out with --database',
    })
  }
  const run = uuidOf(JSON.stringify(['initdb', name, snapshot.content]))
  return `-- The schema of the database "${config.database}", written by: pnpm migrate snapshot --initdb
\\connect ${connectArgument(config.database)}
${writeSnapshotScript({ name, snapshot, revisions, run, version })}`
}

/** A shell runs it, or the entrypoint of the image reads it into itself where it is not executable: it must not set options. */
function writeCreation(names: readonly string[]): string {
  return `#!/bin/sh
# Creates the databases that are missing, written by: pnpm migrate snapshot --initdb
drover_create_database() {
  psql -v ON_ERROR_STOP=1 --no-psqlrc --username "\${POSTGRES_USER:-postgres}" --dbname postgres -v name="$1" <<'SQL'
select format('create database %I', :'name') where not exists (select from pg_database where datname = :'name') \\gexec
SQL
}
${names.map((name) => `drover_create_database ${shellWord(name)} || exit 1\n`).join('')}`
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** As pg_dump names a database to psql: plainly, or where there is anything in the name, in a connection string. */
function connectArgument(database: string): string {
  if (/^[a-z_][a-z0-9_]*$/i.test(database)) return `"${database}"`
  const value = database.replaceAll(/['\\]/g, String.raw`\$&`)
  return `-reuse-previous=on "dbname='${value.replaceAll('"', '""')}'"`
}

/** psql ends a command of its own with the line, and PostgreSQL cuts what is too long. */
function findUnusableName({ name, folder, config: { database } }: Database): readonly Problem[] {
  const isLong = Buffer.byteLength(database) > 63
  if (!isLong && !/\p{Cc}/u.test(database)) return []
  return [
    {
      code: 'CONFIG_INVALID',
      database: name,
      file: `${folder}/database.ts`,
      message: `${folder}/database.ts: "database" ${isLong ? 'is longer than the 63 bytes that a name may have' : 'has a line end or another control character in it'}`,
      hint: 'give it another name, or leave it out with --database',
    },
  ]
}
