import type { Connection } from '../connect/connection.ts'

/**
 * Reads the schema of a database as sorted lines of text, fit for comparing; see `catalog.ts` for what is in them and what
 * is left out. Its queries are loaded when it is called: no everyday command needs them.
 * @param unseenRoles roles whose privileges are left out. Default none
 */
export async function readCatalog(
  connection: Connection,
  unseenRoles: readonly string[] = [],
): Promise<readonly string[]> {
  const catalog = await import('./catalog.ts')
  return catalog.readCatalog(connection, unseenRoles)
}
