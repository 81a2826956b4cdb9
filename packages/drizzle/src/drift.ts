import {
  acrossVersions,
  type CatalogDifference,
  compareCatalogs,
  type Connection,
  ConnectionUrl,
  objectsOf,
  openConnection,
  readCatalog,
  readMajorVersion,
} from '@drover/engine'
import type { History } from '@drover/history'

import { isAboutForeign, isForeign } from './foreign.ts'
import { replayHistory } from './shadow.ts'

/** A server on which shadows are made. */
export interface ShadowServer {
  /** Of a user who may create databases there. */
  readonly url: string
  /** The major version of its PostgreSQL. */
  readonly version: number
}

/**
 * Asks a server what it is, before anything is created on it.
 * @throws {DroverError} what is wrong with the connection
 */
export async function readShadowServer(url: string): Promise<ShadowServer> {
  await using connection = openConnection(ConnectionUrl.parse(url, 'DROVER_SHADOW_URL'))
  return { url, version: await readMajorVersion(connection) }
}

/** Which database to look at, and what it should look like. */
export interface DriftOptions {
  /** A connection to the live database, where nothing is written. */
  readonly live: Connection
  readonly server: ShadowServer
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly history: History
  /** Ids of the revisions that are applied in the live database; each must be one of the history. */
  readonly applied: ReadonlySet<string>
  /** Objects that are none of the history's business, such as `schema topology` or `table app.events_*`. */
  readonly foreign: readonly string[]
  /** Roles whose privileges are none of the history's business. */
  readonly roles: readonly string[]
}

/** What became of a database since its history made it. */
export interface Drift {
  readonly differences: readonly CatalogDifference[]
  /** How many objects were compared. */
  readonly objects: number
  /** The major version of its server. Another one than that of the shadow may write the same definition differently. */
  readonly version: number
}

/**
 * Compares a live database with a shadow that is built from the revisions applied in it.
 * @throws {DroverError} `SHADOW_FAILED` when they cannot be replayed, or what is wrong with a connection
 */
export async function findDrift(options: DriftOptions): Promise<Drift> {
  const { live, server, root, history, applied, foreign, roles } = options
  const version = await readMajorVersion(live)
  const revisions = history.revisions.filter((revision) => applied.has(revision.id))
  await using shadow = await replayHistory(server.url, root, revisions)
  const sameVersion = version === server.version
  const expected = forDrift(await readCatalog(shadow.connection, roles), sameVersion)
  const found = forDrift(await readCatalog(live, roles), sameVersion)
  return {
    differences: compareCatalogs(expected, found).filter((difference) => !isAboutForeign(difference, foreign)),
    objects: [...objectsOf([...expected, ...found])].filter((object) => !isForeign(object, foreign)).length,
    version,
  }
}

/** The lines that tell drift: whether a materialized view has been refreshed is nothing that a revision decides. */
export function forDrift(lines: readonly string[], sameVersion: boolean): readonly string[] {
  return (sameVersion ? lines : acrossVersions(lines)).map((line) =>
    line.startsWith('materialized view ') ? line.replace(/, not populated$/, '') : line,
  )
}
