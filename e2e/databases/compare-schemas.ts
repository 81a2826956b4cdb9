/**
 * Run as a child process, because drizzle-kit prints, and exits on a schema that it does not like. For each database
 * that is named in an argument it sends its parent how the schema of today differs from the last snapshot.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api-postgres'

/** What drizzle-kit makes of the schema of one database. */
export interface SchemaComparison {
  readonly name: string
  /** The statements that lead from the last snapshot to the schema. */
  readonly difference: readonly string[]
  /** The statements that make all of the last snapshot in an empty database. */
  readonly all: readonly string[]
}

const databases = join(import.meta.dirname, '..', '..', 'databases')
for (const name of process.argv.slice(2)) process.send?.(await compare(name))
process.disconnect()

async function compare(name: string): Promise<SchemaComparison> {
  const folder = join(databases, name)
  const last = (await readdir(join(folder, 'migrations'))).toSorted().at(-1)!
  const schema = toRecord(await import(pathToFileURL(join(folder, 'src', 'schema', 'index.ts')).href))
  const snapshot = toRecord(JSON.parse(await readFile(join(folder, 'migrations', last, 'snapshot.json'), 'utf8')))
  return {
    name,
    difference: await generateMigration(snapshot, await generateDrizzleJson(schema)),
    all: await generateMigration(await generateDrizzleJson({}), snapshot),
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('It is no object')
  return Object.fromEntries(Object.entries(value))
}
