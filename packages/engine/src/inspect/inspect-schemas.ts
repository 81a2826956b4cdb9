import type { Connection } from '../connect/connection.ts'
import type { ConnectionUrl } from '../connect/connection-url.ts'
import type { UnseenPrivileges } from './catalog-query.ts'
import type { ForeignPrivilege, OwnedSchema } from './foreign-privileges.ts'
import type { ForeignReference } from './foreign-references.ts'

// What tells the schemas of one database apart. No everyday command needs the queries: they are loaded when they are called.

/**
 * Gives each of these schemas a hash of everything in it, which its own name has no part in; see `tenant-fingerprints.ts`. With many
 * views in each, the server may have no memory for the locks: use `fingerprintManySchemas`.
 * @param unseen privileges that have no part in it either. Default none
 * @returns the hashes by schema; a schema that is not there has none
 * @throws {DroverError} `PRIVILEGE_MISSING` where we may not use one of them
 */
export async function fingerprintSchemas(
  connection: Connection,
  schemas: readonly string[],
  unseen: UnseenPrivileges = {},
): Promise<ReadonlyMap<string, string>> {
  const fingerprints = await import('./tenant-fingerprints.ts')
  return fingerprints.fingerprintSchemas(connection, schemas, unseen)
}

/** The same for any number of schemas, over connections of its own. */
export async function fingerprintManySchemas(
  url: ConnectionUrl,
  schemas: readonly string[],
  unseen: UnseenPrivileges = {},
): Promise<ReadonlyMap<string, string>> {
  const fingerprints = await import('./tenant-fingerprints.ts')
  return fingerprints.fingerprintManySchemas(url, schemas, unseen)
}

/**
 * Reads what is in one schema as sorted lines of text, with another name in place of its own, fit for comparing with what this
 * function reads of another schema; see `schema-catalog.ts`.
 * @param as the name to put in place of the schema's. Default `public`
 * @param unseen privileges that are left out. Default none
 * @throws {DroverError} `PRIVILEGE_MISSING` where we may not use the schema
 */
export async function readSchemaCatalog(
  connection: Connection,
  schema: string,
  as = 'public',
  unseen: UnseenPrivileges = {},
): Promise<readonly string[]> {
  const catalog = await import('./schema-catalog.ts')
  return catalog.readSchemaCatalog(connection, schema, as, unseen)
}

/**
 * Finds what in these schemas depends on something in another schema; see `foreign-references.ts`.
 * @param allowed schemas that may be referred to, besides pg_catalog and information_schema
 */
export async function findForeignReferences(
  connection: Connection,
  schemas: readonly string[],
  allowed: readonly string[],
): Promise<readonly ForeignReference[]> {
  const references = await import('./foreign-references.ts')
  return references.findForeignReferences(connection, schemas, allowed)
}

/**
 * Finds who has privileges in these schemas and is neither their owner, their own role nor allowed; see `foreign-privileges.ts`.
 * @param allowedRoles roles that may have privileges everywhere; `public` is everybody
 */
export async function findForeignPrivileges(
  connection: Connection,
  schemas: readonly OwnedSchema[],
  allowedRoles: readonly string[],
): Promise<readonly ForeignPrivilege[]> {
  const privileges = await import('./foreign-privileges.ts')
  return privileges.findForeignPrivileges(connection, schemas, allowedRoles)
}

/**
 * Finds who may connect to these databases and is neither their owner, their own role nor allowed; see `foreign-privileges.ts`.
 * @param databases with the database in place of the schema
 * @param allowedRoles roles that may connect to all of them; `public` is everybody
 */
export async function findForeignConnects(
  connection: Connection,
  databases: readonly OwnedSchema[],
  allowedRoles: readonly string[],
): Promise<readonly ForeignPrivilege[]> {
  const privileges = await import('./foreign-privileges.ts')
  return privileges.findForeignConnects(connection, databases, allowedRoles)
}
