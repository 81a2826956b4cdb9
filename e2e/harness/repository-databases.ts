import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
import { inject } from 'vitest'

import { query } from './query.ts'
import { type Ended, type Running, startMigrate } from './workspace.ts'

/** The root of this repository. */
export const repository = join(import.meta.dirname, '..', '..')

/** The databases of this repository that revisions are applied to, in the order in which they are upgraded, and where each is looked for. */
const variables = {
  credentials: 'CREDENTIALS_DATABASE_URL',
  main: 'DATABASE_URL',
  gdpr: 'GDPR_DATABASE_URL',
  test: 'TEST_DATABASE_URL',
} as const

export type DatabaseName = keyof typeof variables

export const databaseNames = Object.keys(variables) as readonly DatabaseName[]

/** All of them, in that order: the history of `tenant` is applied to the schemas of tenants, which are in `main` where nothing else is said. */
export const historyNames = ['credentials', 'main', 'gdpr', 'tenant', 'test'] as const

export type HistoryName = (typeof historyNames)[number]

/** Those with a schema and a history of their own. */
export const modelledNames = historyNames.filter((name) => name !== 'test')

/** The folder with the revisions of one of them. */
export function migrationsOf(name: HistoryName): string {
  // The database of the tests has the history of gdpr.
  return join(repository, 'databases', name === 'test' ? 'gdpr' : name, 'migrations')
}

/** Runs the SQL of the whole history of tenants in an empty database, as if that were the schema of one. */
export async function makeTenant(url: string): Promise<void> {
  for (const folder of (await readdir(migrationsOf('tenant'))).toSorted()) {
    const sql = await readFile(join(migrationsOf('tenant'), folder, 'migration.sql'), 'utf8')
    await query(url, `begin;\n${sql};\ncommit`)
  }
}

/** What a document says of databases that revisions are applied to; of tenants it says how many they are. */
export function withoutTenants(document: any): readonly any[] {
  return document.databases.filter(({ name }: any) => name !== 'tenant')
}

/** This repository's databases as empty databases of one test. */
export interface RepositoryDatabases extends AsyncDisposable {
  readonly urls: Readonly<Record<DatabaseName, string>>
  /** The environment in which commands run: the URLs, and nothing of the caller's but PATH and HOME. */
  readonly env: Record<string, string>
  /** Runs the command line in the root of the repository to its end. */
  migrate(...args: readonly string[]): Promise<Ended>
  /** Starts the command line; in the root, if `cwd` names no other folder. */
  start(args: readonly string[], options?: { readonly cwd?: string; readonly env?: Record<string, string> }): Running
}

/**
 * Creates all of them.
 * @param options.servers URLs of the servers of some of them. Default: the tests' server
 * @param options.ordinaryOwner whether commands log in as a user who owns the databases and may do nothing else
 */
export async function createRepositoryDatabases(
  options: {
    readonly servers?: Partial<Record<DatabaseName, string>>
    readonly ordinaryOwner?: boolean
  } = {},
): Promise<RepositoryDatabases> {
  const created = await Promise.all(
    databaseNames.map((name) => createOne(options.servers?.[name] ?? inject('serverUrl'), options.ordinaryOwner)),
  )
  const urls = Object.fromEntries(databaseNames.map((name, at) => [name, created[at]!.url])) as Record<
    DatabaseName,
    string
  >
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    // Keeps a developer's own .env out of it.
    NODE_ENV: 'production',
    DROVER_SHADOW_URL: inject('serverUrl'),
    ...Object.fromEntries(databaseNames.map((name) => [variables[name], urls[name]])),
  }
  const start: RepositoryDatabases['start'] = (args, { cwd = repository, env: more = {} } = {}) =>
    startMigrate(args, { cwd, env: { ...env, ...more } })
  return {
    urls,
    env,
    start,
    migrate: (...args) => start(args).ended,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(created.map((database) => database[Symbol.asyncDispose]()))
    },
  }
}

/** Creates an empty database as one of theirs. */
export async function createOne(
  server: string,
  ordinaryOwner = false,
): Promise<AsyncDisposable & { readonly url: string }> {
  const database = await createThrowawayDatabase(server)
  if (!ordinaryOwner) return database
  const owner = `${database.name}_owner`
  const password = randomBytes(12).toString('hex')
  await query(
    server,
    `create role ${owner} login password '${password}'; alter database ${database.name} owner to ${owner}`,
  )
  const url = new URL(database.url)
  url.username = owner
  url.password = password
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await query(server, `drop role ${owner}`)
    },
  }
}
