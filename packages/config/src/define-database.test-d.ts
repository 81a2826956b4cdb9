import { type DatabaseDeclaration, defineDatabase, parseDatabaseConfig } from './define-database.ts'

// This file is compiled and never run: each declaration must be accepted, or refused where that is expected.

defineDatabase({ name: 'main' })
defineDatabase({
  name: 'main',
  aliases: ['m'],
  schema: './src/schema.ts',
  migrations: './migrations',
  after: ['credentials'],
  url: ['MAIN_DATABASE_URL', 'DATABASE_URL'],
  database: 'drover_main',
  protected: true,
})

// @ts-expect-error A database has a name.
defineDatabase({})
// @ts-expect-error A misspelt option is not ignored.
defineDatabase({ name: 'main', migration: './migrations' })
// @ts-expect-error Variables are a list, the first that is set wins.
defineDatabase({ name: 'main', url: 'MAIN_DATABASE_URL' })
// @ts-expect-error A list of variables names at least one.
defineDatabase({ name: 'main', url: [] })
// @ts-expect-error Neighbours are named, not imported.
defineDatabase({ name: 'main', after: [defineDatabase({ name: 'credentials' })] })
// @ts-expect-error Whether it is protected is yes or no.
defineDatabase({ name: 'main', protected: 'production' })

export function declarationsAreReadOnly(declaration: DatabaseDeclaration): void {
  // @ts-expect-error What was declared does not change.
  declaration.name = 'other'
}

export function resultsAreReadAfterTheyAreChecked(exported: unknown): readonly string[] {
  const result = parseDatabaseConfig(exported)
  // @ts-expect-error There may be faults instead.
  void result.config
  return result.ok ? result.config.url : result.faults
}
