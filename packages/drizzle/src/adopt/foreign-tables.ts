import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Connection, pinSearchPath, type Row } from '@drover/engine'
import { type History, scriptFile } from '@drover/history'

import { refusal } from './foreign-history.ts'
import { type MigrationRow, type Recognition, recogniseMigrations, recogniseVersions } from './recognition.ts'

/** A table in which another tool keeps what is applied. */
export type ForeignTable = ForeignTableName &
  (
    | { readonly tool: 'drizzle-orm'; readonly rows: readonly MigrationRow[] }
    | { readonly tool: 'Alembic'; readonly versions: readonly string[] }
  )

interface ForeignTableName {
  readonly schema: string
  readonly name: string
  /** As messages name it, and as SQL does. */
  readonly shown: string
}

/**
 * Finds and reads the table of another tool. Writes nothing.
 * @param named its name when it has another than the tool gives it: `schema.table` or `table`
 * @returns `undefined` when there is none
 * @throws {DroverError} `ADOPTION_REFUSED` when there are several, or the named one is not there or of no tool
 */
export async function readForeignTable(connection: Connection, named?: string): Promise<ForeignTable | undefined> {
  const all = (await connection.send(`${pinSearchPath}${selectCandidates}`)).map(toCandidate)
  const wanted = all.filter((table) =>
    named === undefined
      ? usualNames.has(table.name)
      : [table.shown, table.name, `${table.schema}.${table.name}`].includes(named),
  )
  const [table, ...others] = wanted
  if (others.length > 0) {
    throw refusal(
      `there are several tables of other tools: ${wanted.map(({ shown }) => shown).join(', ')}`,
      `say which one tells what is applied: --table ${table!.shown}`,
    )
  }
  if (table) return readRows(connection, table)
  if (named === undefined) return undefined
  throw refusal(
    `there is no table ${named} with the columns of drizzle-orm (hash, created_at) or of Alembic (version_num)`,
    'correct the name after --table',
  )
}

/**
 * Finds the revisions of a table's rows.
 * @param root absolute path of the workspace's root
 */
export function recognise(
  table: ForeignTable,
  root: string,
  history: History,
  { acceptEdited }: { readonly acceptEdited: boolean },
): Recognition {
  if (table.tool === 'Alembic') return recogniseVersions(history, table.versions, table.shown)
  const hashes = new Map(
    history.revisions.map((revision) => [
      revision.id,
      hashAsDrizzle(readFileSync(join(root, scriptFile(revision, 'up')))),
    ]),
  )
  return recogniseMigrations(history, table.rows, { table: table.shown, hashes, acceptEdited })
}

/** The objects that belong to another tool's table, as a database's `foreign` declares them. */
export function foreignObjectsOf({ schema, name, tool }: ForeignTable): readonly string[] {
  // drizzle-orm makes a schema for it, which nothing else uses.
  return [
    ...(tool === 'drizzle-orm' && schema === 'drizzle' ? [`schema ${schema}`] : []),
    `table ${schema}.${name}`,
    `sequence ${schema}.${name}_id_seq`,
  ]
}

const usualNames = new Set(['__drizzle_migrations', 'alembic_version'])

// By what they look like, because both tools let the name be chosen.
const selectCandidates = `
select n.nspname as schema, c.relname as name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as shown,
  bool_or(a.attname = 'version_num') as alembic, bool_or(a.attname = 'name') as named
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
group by n.nspname, c.relname
having bool_or(a.attname = 'version_num') and count(*) = 1
  or bool_or(a.attname = 'hash') and bool_or(a.attname = 'created_at') and bool_or(a.attname = 'id')
order by 3`

interface Candidate extends ForeignTableName {
  readonly isAlembic: boolean
  readonly isNamed: boolean
}

function toCandidate(row: Row): Candidate {
  return {
    schema: String(row['schema']),
    name: String(row['name']),
    shown: String(row['shown']),
    isAlembic: row['alembic'] === true,
    isNamed: row['named'] === true,
  }
}

async function readRows(connection: Connection, table: Candidate): Promise<ForeignTable> {
  const { schema, name, shown } = table
  if (table.isAlembic) {
    const rows = await connection.send(`${pinSearchPath}select version_num from ${shown} order by version_num`)
    return { schema, name, shown, tool: 'Alembic', versions: rows.map((row) => String(row['version_num'])) }
  }
  const names = table.isNamed ? 'name' : 'null::text as name'
  const rows = await connection.send(
    `${pinSearchPath}select id, hash, created_at::text as created_at, ${names} from ${shown} order by id`,
  )
  return { schema, name, shown, tool: 'drizzle-orm', rows: rows.map(toMigrationRow) }
}

function toMigrationRow(row: Row): MigrationRow {
  return {
    id: Number(row['id']),
    hash: String(row['hash']),
    createdAt: typeof row['created_at'] === 'string' ? Number(row['created_at']) : undefined,
    name: typeof row['name'] === 'string' ? row['name'] : undefined,
  }
}

/** drizzle-orm reads the file as text before it hashes it. */
function hashAsDrizzle(file: Buffer): string {
  return createHash('sha256').update(file.toString()).digest('hex')
}
