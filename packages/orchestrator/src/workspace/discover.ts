import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

import type { DatabaseConfig } from '@drover/config'
import { parseDatabaseConfig } from '@drover/config/parse'
import { snapshotFile } from '@drover/engine'
import { DroverError, findCircle, type Problem, sortTopologically, throwProblems } from '@drover/history'

import { findMissingHooks, hooksOf } from '../hooks/declared-hooks.ts'
import { loadDefaultExport } from './load-module.ts'

/** A folder with `databases/`, where all paths of messages begin. */
export interface Workspace {
  /** Absolute. */
  readonly root: string
  /** All databases, in the order in which they are upgraded. */
  readonly databases: readonly Database[]
}

/** One database package. */
export interface Database {
  readonly name: string
  /** Its folder, from the root: `databases/main`. */
  readonly folder: string
  /** The folder with its revisions, from the root. */
  readonly migrations: string
  /** The folder with the objects that are declared as SQL files, from the root; it need not be there. */
  readonly objects: string
  /** The file with the schema that its history builds, from the root; it need not be there. */
  readonly snapshot: string
  readonly config: DatabaseConfig
}

/**
 * Finds the workspace that a folder lies in, and loads the `database.ts` of each of its database packages.
 * @throws {DroverError} `CONFIG_INVALID` when there is none, or with everything that is wrong in any `database.ts`
 */
export async function discoverWorkspace(from: string): Promise<Workspace> {
  const root = findRoot(from)
  const loaded = await Promise.all(listPackages(root).map((folder) => loadDatabase(root, folder)))
  const problems = loaded.flatMap((result) => ('problems' in result ? result.problems : []))
  throwProblems(problems)
  const databases = loaded.flatMap((result) => ('problems' in result ? [] : [result]))
  throwProblems([
    ...findDuplicateNames(databases),
    ...findSharedVariables(databases),
    ...findUnknownNeighbours(databases),
    ...findUnusableMirrors(databases),
    ...findUnusableRegistries(databases),
  ])
  const complete = databases
    .map((database) => withMirroredHistory(database, databases))
    .map((database) => withRegistry(database, databases))
  return { root, databases: inOrder(complete) }
}

/** Whether a database migrates itself: it has no revisions. */
export function isExternal({ config }: Database): boolean {
  return config.external !== undefined
}

/** Whether a database has the history of another one, and no revisions of its own. */
export function isMirror({ config }: Database): boolean {
  return config.mirrors !== undefined
}

/** Whether the history of a database is applied to its tenants, and not to itself. */
export function hasTenants({ config }: Database): boolean {
  return config.tenants !== undefined
}

/** The database whose folder a path lies in, if any. */
export function databaseOfFolder(workspace: Workspace, folder: string): Database | undefined {
  return workspace.databases.find((database) => {
    const own = join(workspace.root, database.folder)
    return folder === own || folder.startsWith(join(own, '/'))
  })
}

/**
 * Picks databases by name, in upgrade order. No names: all of them.
 * @throws {DroverError} `DATABASE_UNKNOWN`
 */
export function selectDatabases(workspace: Workspace, names: readonly string[]): readonly Database[] {
  const known = workspace.databases.map((database) => database.name)
  const answersTo = (database: Database, name: string) =>
    database.name === name || database.config.aliases.includes(name)
  throwProblems(
    names
      .filter((name) => !workspace.databases.some((database) => answersTo(database, name)))
      .map((name) => ({
        code: 'DATABASE_UNKNOWN',
        message: `there is no database "${name}"`,
        hint: `the databases are: ${known.join(', ')}`,
      })),
  )
  if (names.length === 0) return workspace.databases
  return workspace.databases.filter((database) => names.some((name) => answersTo(database, name)))
}

/** A workspace whose databases have no hooks. */
export function withoutHooks({ root, databases }: Workspace): Workspace {
  const bare = databases.map((database) => {
    const { hooks: _, ...config } = database.config
    return { ...database, config }
  })
  return { root, databases: bare }
}

const home = 'databases'

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (listPackages(folder).length > 0) return folder
    if (folder === dirname(folder)) break
  }
  throw new DroverError({
    code: 'CONFIG_INVALID',
    message: `no ${home}/<name>/database.ts was found in ${from}, nor above it`,
    hint: 'run the command in a workspace of Drover',
  })
}

function listPackages(root: string): readonly string[] {
  const folder = join(root, home)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'database.ts')))
    .toSorted()
    .map((name) => `${home}/${name}`)
}

async function loadDatabase(
  root: string,
  folder: string,
): Promise<Database | { readonly problems: readonly Problem[] }> {
  const file = `${folder}/database.ts`
  const invalid = (fault: string): Problem => ({
    code: 'CONFIG_INVALID',
    file,
    message: `${file}: ${fault}`,
    hint: `correct ${file}; a minimal one is: export default defineDatabase({ name: '${posix.basename(folder)}' })`,
  })
  const loaded = await loadDefaultExport(root, file, invalid)
  if ('problem' in loaded) return { problems: [loaded.problem] }
  const result = parseDatabaseConfig(loaded.exported)
  if (!result.ok) return { problems: result.faults.map(invalid) }
  const { config } = result
  const missing = findMissingHooks(root, file, hooksOf({ folder, config }))
  if (missing.length > 0) return { problems: missing }
  return {
    name: config.name,
    folder,
    migrations: posix.join(folder, config.migrations),
    objects: posix.join(folder, config.objects),
    snapshot: posix.join(folder, snapshotFile),
    config,
  }
}

/** A database that has the history of another one, with the files of that history. */
function withMirroredHistory(database: Database, all: readonly Database[]): Database {
  const mirrored = all.find(({ name }) => name === database.config.mirrors)
  if (!mirrored) return database
  const { migrations, objects, config } = mirrored
  // What an application cannot live without in the one, it cannot live without in the other.
  const critical = config.critical && { critical: config.critical }
  return { ...database, migrations, objects, config: { ...database.config, ...critical } }
}

/** A database of tenants, which comes after the one that lists them, and is in the same place unless it has a URL of its own. */
function withRegistry(database: Database, all: readonly Database[]): Database {
  const { tenants, after, url, urlCommand, database: own } = database.config
  const registry = tenants && all.find(({ name }) => name === tenants.registry.database)?.config
  if (!registry) return database
  const command = urlCommand ?? registry.urlCommand
  return {
    ...database,
    config: {
      ...database.config,
      after: [...new Set([...after, tenants.registry.database])],
      url: [...url, ...registry.url],
      ...(command && { urlCommand: command }),
      database: own === database.name ? registry.database : own,
    },
  }
}

function findDuplicateNames(databases: readonly Database[]): readonly Problem[] {
  const names = databases.flatMap((database) =>
    [database.name, ...database.config.aliases].map((name) => ({ name, database })),
  )
  return [...Map.groupBy(names, ({ name }) => name)]
    .map(([name, uses]) => ({ name, group: uses.map(({ database }) => database) }))
    .filter(({ group }) => group.length > 1)
    .map(({ name, group }) => ({
      code: 'CONFIG_INVALID',
      file: `${group[1]!.folder}/database.ts`,
      message: `the name "${name}" is used by ${group.map((database) => database.folder).join(' and ')}`,
      hint: 'give each database a name of its own',
    }))
}

/** One variable for two databases would lead both to the same place. */
function findSharedVariables(databases: readonly Database[]): readonly Problem[] {
  const uses = databases.flatMap((database) => database.config.url.map((variable) => ({ variable, database })))
  return [...Map.groupBy(uses, ({ variable }) => variable)]
    .filter(([, group]) => group.length > 1)
    .map(([variable, group]) => ({
      code: 'CONFIG_INVALID',
      file: `${group[1]!.database.folder}/database.ts`,
      message: `the variable ${variable} is used by ${group.map(({ database }) => database.folder).join(' and ')}`,
      hint: 'give each database a variable of its own with "url"',
    }))
}

function findUnknownNeighbours(databases: readonly Database[]): readonly Problem[] {
  const names = new Set(databases.map((database) => database.name))
  return databases.flatMap((database) =>
    database.config.after
      .filter((name) => !names.has(name))
      .map((name) => ({
        code: 'CONFIG_INVALID',
        file: `${database.folder}/database.ts`,
        message: `${database.folder}/database.ts: "after" names "${name}", and there is no such database`,
        hint: `the databases are: ${[...names].toSorted().join(', ')}`,
      })),
  )
}

function findUnusableMirrors(databases: readonly Database[]): readonly Problem[] {
  const own = databases.filter((database) => !isExternal(database) && !isMirror(database)).map(({ name }) => name)
  return databases.filter(isMirror).flatMap(({ folder, name: self, config: { mirrors } }) => {
    const mirrored = databases.find(({ name }) => name === mirrors)
    if (mirrored && own.includes(mirrored.name)) return []
    const fault = !mirrored
      ? 'there is no such database'
      : isExternal(mirrored)
        ? 'that one migrates itself'
        : mirrored.name === self
          ? 'that is the database itself'
          : `that one has the history of "${mirrored.config.mirrors}" itself`
    return [
      {
        code: 'CONFIG_INVALID',
        file: `${folder}/database.ts`,
        message: `${folder}/database.ts: "mirrors" names "${mirrors}", and ${fault}`,
        hint: `the databases with revisions of their own are: ${own.toSorted().join(', ') || 'none'}`,
      },
    ]
  })
}

function findUnusableRegistries(databases: readonly Database[]): readonly Problem[] {
  const own = databases.filter((database) => !isMirror(database) && !hasTenants(database)).map(({ name }) => name)
  return databases.flatMap(({ folder, config: { tenants } }) => {
    if (!tenants || own.includes(tenants.registry.database)) return []
    return [
      {
        code: 'CONFIG_INVALID',
        file: `${folder}/database.ts`,
        message: `${folder}/database.ts: "tenants.registry" names the database "${tenants.registry.database}", and there is no such database that could list tenants`,
        hint: `the databases that could are: ${own.toSorted().join(', ') || 'none'}`,
      },
    ]
  })
}

function inOrder(databases: readonly Database[]): readonly Database[] {
  const nodes = databases
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((database) => ({ id: database.name, after: database.config.after }))
  const circle = findCircle(nodes)
  if (circle) {
    throw new DroverError({
      code: 'CONFIG_INVALID',
      message: `these databases come after each other in a circle: ${[...circle, circle[0]].join(' after ')}`,
      hint: 'correct "after" in one of their database.ts',
    })
  }
  return sortTopologically(nodes).sorted.map((name) => databases.find((database) => database.name === name)!)
}
