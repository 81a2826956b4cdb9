import { type CatalogDifference, compareCatalogs, objectsOf, readCatalog, type SchemaSnapshot } from '@drover/engine'
import { DroverError, type History } from '@drover/history'

import { forDrift, type ShadowServer } from '../drift.ts'
import { createShadow } from '../shadow.ts'
import { tryStatements } from '../try-statements.ts'
import { build } from './dump-history.ts'

/** What a snapshot builds, compared with what the revisions build that it stands for. */
export interface SnapshotProof {
  /** Empty when they build the same. `expected` is what the revisions build. */
  readonly differences: readonly CatalogDifference[]
  /** How many objects were compared. */
  readonly objects: number
}

/** What is compared, and where. */
export interface ProveOptions {
  readonly server: ShadowServer
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly history: History
  readonly snapshot: SchemaSnapshot
  /** Extensions that are there before the first revision. */
  readonly extensions: readonly string[]
}

/**
 * Loads a snapshot into one shadow, replays its revisions in another, and compares their catalogues.
 * @throws {DroverError} `SNAPSHOT_DIFFERS` when it cannot be loaded, `SHADOW_FAILED` when the history cannot be replayed
 */
export async function proveSnapshot(options: ProveOptions): Promise<SnapshotProof> {
  const { server, root, history, snapshot, extensions } = options
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const revisions = history.revisions.filter(({ id }) => held.has(id))
  await using replayed = await createShadow(server.url)
  await build(replayed, root, revisions, extensions)
  await using loaded = await createShadow(server.url)
  const failure = await tryStatements(loaded.connection, [snapshot.sql], 'none')
  if (failure) {
    throw new DroverError({
      code: 'SNAPSHOT_DIFFERS',
      file: snapshot.file,
      message: `${snapshot.file} cannot be loaded: ${failure.message}`,
      ...(failure.sqlstate !== undefined && { sqlstate: failure.sqlstate }),
    })
  }
  // The settings that it leaves in the session would change what the catalogue is told in.
  await loaded.connection[Symbol.asyncDispose]()
  const expected = forDrift(await readCatalog(replayed.connection), true)
  const found = forDrift(await readCatalog(loaded.connection), true)
  return {
    differences: compareCatalogs(expected, found),
    objects: objectsOf([...expected, ...found]).size,
  }
}
