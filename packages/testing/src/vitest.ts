import { test, type TestAPI } from 'vitest'

import { type DatabaseOptions, migratedDatabase, type MigratedDatabase } from './migrated-database.ts'

/** How tests get their databases. */
export interface DatabaseTestOptions extends DatabaseOptions {
  /** Who shares one database: nobody, all tests of a file, or all that a worker of Vitest runs. Default `test`. */
  readonly scope?: 'test' | 'file' | 'worker'
}

/**
 * Vitest's `test` with a fixture `database`, which is migrated and goes away by itself. It is made for tests that ask for it.
 * @param name of the database in the workspace
 */
export function databaseTest(
  name: string,
  { scope = 'test', ...options }: DatabaseTestOptions = {},
): TestAPI<{ readonly database: MigratedDatabase }> {
  // oxlint-disable-next-line no-empty-pattern -- Vitest reads from this pattern that no other fixture is needed
  const make = async ({}: object, use: (database: MigratedDatabase) => Promise<void>) => {
    await using database = await migratedDatabase(name, options)
    await use(database)
  }
  return test.extend<{ readonly database: MigratedDatabase }>({ database: [make, { scope }] })
}
