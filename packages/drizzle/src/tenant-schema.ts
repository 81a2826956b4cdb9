import { fingerprintSchemas, hashCatalog, readCatalog, readSchemaCatalog, withoutPlaces } from '@drover/engine'
import type { Revision } from '@drover/history'

import { replayHistory } from './shadow.ts'

/** What the schema, or the database, of a tenant is to be. */
export interface TenantSchema {
  /** As `fingerprintSchemas` makes it, or `hashCatalog` of a database. */
  readonly fingerprint: string
  /** As `readSchemaCatalog` reads it, with `public` for the schema's own name; or `readCatalog`, without the places of columns. */
  readonly catalog: readonly string[]
}

/**
 * Builds the schema that revisions make in a shadow, and reads it.
 * @param server URL of a user who may create databases
 * @param root absolute path of the workspace's root
 * @throws {DroverError} `SHADOW_FAILED`
 */
export async function buildTenantSchema(
  server: string,
  root: string,
  revisions: readonly Revision[],
): Promise<TenantSchema> {
  await using shadow = await replayHistory(server, root, revisions)
  // What PostgreSQL grants on it, and says of it, is not the history's.
  await shadow.connection.send('revoke all on schema public from public; comment on schema public is null')
  const fingerprints = await fingerprintSchemas(shadow.connection, ['public'])
  const catalog = await readSchemaCatalog(shadow.connection, 'public')
  return { fingerprint: fingerprints.get('public')!, catalog }
}

/**
 * Builds the database that revisions make in a shadow, and reads it. The parameters are those of `buildTenantSchema`.
 * @throws {DroverError} `SHADOW_FAILED`
 */
export async function buildTenantDatabase(
  server: string,
  root: string,
  revisions: readonly Revision[],
): Promise<TenantSchema> {
  await using shadow = await replayHistory(server, root, revisions)
  const catalog = withoutPlaces(await readCatalog(shadow.connection))
  return { fingerprint: hashCatalog(catalog), catalog }
}
