/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- No types: what it imports is installed by the benchmark, beside it. */
import { promises as fs } from 'node:fs'
import path from 'node:path'

// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { Kysely, PostgresDialect } from 'kysely'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { FileMigrationProvider, Migrator, NO_MIGRATIONS } from 'kysely/migration'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import pg from 'pg'

// Usage: kysely.mjs up|down|load <folder>
const [what, folder] = process.argv.slice(2)
if (what !== 'load') {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 })
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
  const migrationFolder = path.resolve(folder)
  const migrator = new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) })
  const { error } = what === 'up' ? await migrator.migrateToLatest() : await migrator.migrateTo(NO_MIGRATIONS)
  await db.destroy()
  if (error) throw error
}
