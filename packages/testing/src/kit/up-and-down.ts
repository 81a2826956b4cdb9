import {
  type CatalogDifference,
  compareCatalogs,
  ConnectionUrl,
  describeDifference,
  openConnection,
  readCatalog,
} from '@drover/engine'
import { DroverError, missingWayBack, nameRevision, type Revision } from '@drover/history'
import { type Database, withoutHooks } from '@drover/orchestrator'

import { diagnosed } from '../diagnosis.ts'
import { takeSteps } from '../migrate.ts'
import { createBare, type DatabaseOptions } from '../migrated-database.ts'
import { findSharedServer } from '../shared-server.ts'
import { readSubject } from '../subject.ts'

/** Which revisions went up, down and up again. */
export interface RoundTrips {
  /** Ids, in run order. */
  readonly proved: readonly string[]
  /** Revisions without a way back, by name: they have only gone up. */
  readonly skipped: readonly string[]
}

/**
 * Takes a new database through a history, and each revision on the way up, down and up again. After the way down, the catalogue
 * has to be what it was before, but for what `database.ts` declares as `foreign`; after the second way up, what it was after the
 * first. Hooks are not run.
 * @param name of the database in the workspace
 * @throws {DroverError} `NOT_PROVED` with the revision and what is different, or what went wrong when it ran
 */
export async function everyRevisionGoesUpAndDown(
  name: string,
  options: Pick<DatabaseOptions, 'root' | 'server' | 'as'> = {},
): Promise<RoundTrips> {
  return diagnosed(async () => {
    const found = await readSubject(name, options.root)
    const workspace = withoutHooks(found.workspace)
    const database = workspace.databases.find((one) => one.name === found.database.name)!
    const subject = { ...found, workspace, database }
    const server = await findSharedServer(workspace.root, options.server)
    await using place = await createBare(server, subject, options)
    const url = ConnectionUrl.parse(place.url, server.source)
    const take = async (direction: 'up' | 'down', revision: Revision) => {
      await takeSteps(subject, url, direction, [revision])
      return catalogOf(url)
    }

    const proved: string[] = []
    const skipped: string[] = []
    let before = await catalogOf(url)
    for (const revision of subject.history.revisions) {
      const after = await take('up', revision)
      if (revision.reversible) {
        await refuseDifference(
          database,
          revision,
          before,
          await take('down', revision),
          'its way down does not undo its way up',
        )
        await refuseDifference(
          database,
          revision,
          after,
          await take('up', revision),
          'after its way down, its way up makes something else than the first time',
        )
        proved.push(revision.id)
      } else skipped.push(`${nameRevision(revision)} has no ${missingWayBack(revision).name}`)
      before = after
    }
    return { proved, skipped }
  })
}

/** A connection of its own: no revision should find settings of ours. */
async function catalogOf(url: ConnectionUrl): Promise<readonly string[]> {
  await using connection = openConnection(url)
  // Awaited here: the connection is closed when this function returns.
  return await readCatalog(connection)
}

async function refuseDifference(
  { name, config }: Database,
  revision: Revision,
  expected: readonly string[],
  found: readonly string[],
  what: string,
): Promise<void> {
  const differences = await withoutForeign(compareCatalogs(expected, found), config.foreign)
  if (differences.length === 0) return
  throw new DroverError({
    code: 'NOT_PROVED',
    database: name,
    revision: revision.id,
    file: revision.folder,
    message: `${revision.folder}: ${what}:`,
    serverNotes: differences.flatMap((difference) => describeDifference(difference)),
    hint: `correct the way down, or delete it if there is none: a revision without one is irreversible, and says so`,
  })
}

async function withoutForeign(
  differences: readonly CatalogDifference[],
  foreign: readonly string[],
): Promise<readonly CatalogDifference[]> {
  if (differences.length === 0 || foreign.length === 0) return differences
  // It takes half a second to load, and most tests have no use for it.
  const { isAboutForeign } = await import('@drover/drizzle')
  return differences.filter((difference) => !isAboutForeign(difference, foreign))
}
