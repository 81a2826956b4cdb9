import {
  type CatalogDifference,
  compareCatalogs,
  objectsOf,
  quoteIdentifier,
  readCatalog,
  readSchemaCatalog,
  type SchemaSnapshot,
  snapshotTemplate,
  tenantSchema,
} from '@drover/engine'
import { DroverError, type History } from '@drover/history'

import { forDrift, type ShadowServer } from '../drift.ts'
import { createShadow, type Shadow } from '../shadow.ts'
import { tryStatements } from '../try-statements.ts'
import { build } from './dump-history.ts'
import { describeSecondTenant, enterTenant, type TenantPlace } from './tenant-dump.ts'

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
  /** Where the snapshot is of a tenant: what tenants share. */
  readonly tenant?: TenantPlace | undefined
}

/**
 * Loads a snapshot into one shadow, replays its revisions in another, and compares their catalogues; the snapshot of tenants is loaded
 * for a second one beside the first.
 * @throws {DroverError} `SNAPSHOT_DIFFERS` when it cannot be loaded, `SHADOW_FAILED` when the history cannot be replayed
 */
export async function proveSnapshot(options: ProveOptions): Promise<SnapshotProof> {
  const { server, root, history, snapshot, extensions, tenant } = options
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const revisions = history.revisions.filter(({ id }) => held.has(id))
  await using replayed = await createShadow(server.url)
  await build(replayed, root, revisions, extensions, tenant)
  await using loaded = await createShadow(server.url)
  if (tenant) await enterTenant(loaded.connection, tenant)
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
  const differences = compareCatalogs(expected, found)
  return {
    differences: differences.length === 0 && tenant ? await compareSecond(loaded, snapshot, tenant) : differences,
    objects: objectsOf([...expected, ...found]).size,
  }
}

/** A name that works only where it is quoted. */
const secondTenant = 'Drover-Tenant 2'

/** Makes a second tenant, which finds all that is shared, and compares it with the first. */
async function compareSecond(
  { connection }: Shadow,
  snapshot: SchemaSnapshot,
  { shared }: TenantPlace,
): Promise<readonly CatalogDifference[]> {
  const path = [secondTenant, ...shared].map(quoteIdentifier).join(', ')
  const { sql } = snapshotTemplate(snapshot)(secondTenant)
  const failure = await tryStatements(
    connection,
    [`create schema ${quoteIdentifier(secondTenant)}`, `set search_path = ${path}`, sql],
    'none',
  )
  if (failure) throw describeSecondTenant(snapshot.file, failure.message)
  await connection[Symbol.asyncDispose]()
  const catalogs = [tenantSchema, secondTenant].map((schema) => readSchemaCatalog(connection, schema))
  const [first, second] = await Promise.all(catalogs)
  return compareCatalogs(first!, second!)
}
