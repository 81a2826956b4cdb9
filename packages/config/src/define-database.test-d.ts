import { defineDatabase } from './define.ts'
import { type DatabaseDeclaration, parseDatabaseConfig } from './define-database.ts'

// This file is compiled and never run: each declaration must be accepted, or refused where that is expected.

defineDatabase({ name: 'main' })
defineDatabase({
  name: 'main',
  aliases: ['m'],
  schema: './src/schema.ts',
  migrations: './migrations',
  after: ['credentials'],
  url: ['MAIN_DATABASE_URL', 'DATABASE_URL'],
  urlCommand: ['op', 'read', 'op://production/main/url'],
  database: 'drover_main',
  protected: true,
})

defineDatabase({ kind: 'external', name: 'jobs' })
defineDatabase({
  kind: 'external',
  name: 'jobs',
  aliases: ['j'],
  after: ['main'],
  url: ['JOBS_DATABASE_URL'],
  database: 'drover_jobs',
  command: ['npx', 'graphile-worker', '--schema-only'],
  commandTimeout: 60,
  managedBy: 'Graphile Worker',
})

defineDatabase({ kind: 'snapshot', name: 'test', mirrors: ['gdpr'], after: ['gdpr'] })
// @ts-expect-error It has the history of one database.
defineDatabase({ kind: 'snapshot', name: 'test', mirrors: ['gdpr', 'main'] })
// @ts-expect-error It has no revisions of its own.
defineDatabase({ kind: 'snapshot', name: 'test', mirrors: ['gdpr'], migrations: './migrations' })

// @ts-expect-error A database with revisions runs no command.
defineDatabase({ name: 'jobs', command: ['migrate'] })
// @ts-expect-error A database that migrates itself has no revisions.
defineDatabase({ kind: 'external', name: 'jobs', migrations: './migrations' })
// @ts-expect-error A command is a program and its arguments.
defineDatabase({ kind: 'external', name: 'jobs', command: 'graphile-worker --schema-only' })
// @ts-expect-error A database has a name.
defineDatabase({})
// @ts-expect-error A misspelt option is not ignored.
defineDatabase({ name: 'main', migration: './migrations' })
// @ts-expect-error Variables are a list, the first that is set wins.
defineDatabase({ name: 'main', url: 'MAIN_DATABASE_URL' })
// @ts-expect-error A list of variables names at least one.
defineDatabase({ name: 'main', url: [] })
// @ts-expect-error A command is a program and its arguments, never a line for a shell.
defineDatabase({ name: 'main', urlCommand: 'op read op://production/main/url' })
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
