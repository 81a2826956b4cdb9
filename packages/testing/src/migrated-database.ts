import type { ConnectionUrl } from '@drover/engine'

import { diagnosed } from './diagnosis.ts'
import { upgradeTo } from './migrate.ts'
import { findSharedServer } from './shared-server.ts'
import { readSubject, type Subject, type Wanted } from './subject.ts'
import { type Owner, ownerOn } from './template/owner.ts'
import { createEmpty, createFromTemplate, dropDatabase, urlOf } from './template/template.ts'

/** A database of one's own, with the schema that its history makes. Disposing of it drops it, whoever is still connected. */
export interface MigratedDatabase extends AsyncDisposable {
  /** With its password; of the administrator of the server, or of the owner when that was asked for. */
  readonly url: string
  /** What it is called on the server. */
  readonly name: string
  /** Does the same as disposing of it. */
  drop(): Promise<void>
}

/** How a database for tests is made. */
export interface DatabaseOptions {
  /** How far it is migrated, as on the command line: an id, a label. Default `head`. */
  readonly to?: string
  /** A folder in the workspace. Default: the current one. */
  readonly root?: string
  /** URL of a server on which databases may be created. Default: the one that all tests share. */
  readonly server?: string
  /**
   * Who runs the history, and whose URL it is: the administrator of the server, who may do anything; or an ordinary user who owns
   * the database and may do nothing else, as it should be in production: policies of forced row security are for that one, too.
   * Default `administrator`.
   */
  readonly as?: 'administrator' | 'owner'
  /**
   * Whether the history is run again, instead of copying what it has made before: for code that reads what changes without any
   * file of the history changing. Default `false`.
   */
  readonly fresh?: boolean
}

/**
 * Creates a database for one test, migrated as `pnpm migrate upgrade` does it. The first call runs the history; what it makes is
 * kept on the server as a template, and copied from then on, until the history changes.
 * @param name of the database in the workspace, or one of its aliases
 * @throws {DroverError} with all that the command line would say, when the history cannot be read or run
 */
export async function migratedDatabase(name: string, options: DatabaseOptions = {}): Promise<MigratedDatabase> {
  return diagnosed(async () => {
    const subject = await readSubject(name, options.root)
    const server = await findSharedServer(subject.workspace.root, options.server)
    const wanted = { subject, target: options.to ?? 'head', ...ownerFor(server, options) }
    if (options.fresh === true) return createMigrated(server, wanted)
    return asDatabase(server, await createFromTemplate(server, wanted), wanted.owner)
  })
}

/** Databases by their names. Disposing of them drops all. */
export type MigratedSet<Name extends string> = Readonly<Record<Name, MigratedDatabase>> & AsyncDisposable

/**
 * Creates several databases for one test, side by side, each as `migratedDatabase` does.
 * @throws {DroverError} when one of them cannot be made; the others are dropped then
 */
export async function migratedSet<Name extends string>(
  names: readonly Name[],
  options: DatabaseOptions = {},
): Promise<MigratedSet<Name>> {
  const settled = await Promise.allSettled(names.map((name) => migratedDatabase(name, options)))
  const made = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const drop = async () => void (await Promise.all(made.map((database) => database.drop())))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) {
    await drop()
    throw failed.reason
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `fromEntries` forgets which names there were
  const byName = Object.fromEntries(names.map((name, at) => [name, made[at]!])) as Record<Name, MigratedDatabase>
  return { ...byName, [Symbol.asyncDispose]: drop }
}

/** Creates an empty database for tests, with the extensions that its history takes for granted. */
export async function createBare(
  server: ConnectionUrl,
  subject: Subject,
  options: Pick<DatabaseOptions, 'as'>,
): Promise<MigratedDatabase> {
  const { owner } = ownerFor(server, options)
  return asDatabase(server, await createEmpty(server, { subject, ...(owner && { owner }) }), owner)
}

async function createMigrated(server: ConnectionUrl, wanted: Wanted): Promise<MigratedDatabase> {
  const database = asDatabase(server, await createEmpty(server, wanted), wanted.owner)
  try {
    await upgradeTo(wanted.subject, urlOf(server, database.name, wanted.owner), wanted.target)
    return database
  } catch (error) {
    await database.drop()
    throw error
  }
}

function ownerFor(server: ConnectionUrl, { as }: Pick<DatabaseOptions, 'as'>): { readonly owner?: Owner } {
  return as === 'owner' ? { owner: ownerOn(server) } : {}
}

function asDatabase(server: ConnectionUrl, name: string, owner: Owner | undefined): MigratedDatabase {
  const drop = () => diagnosed(() => dropDatabase(server, name))
  return { url: urlOf(server, name, owner).revealUrl(), name, drop, [Symbol.asyncDispose]: drop }
}
