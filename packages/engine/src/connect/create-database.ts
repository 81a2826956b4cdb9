import { DroverError } from '@drover/history'

import { quoteIdentifier } from '../sql/quote.ts'
import { type Connection, openConnection } from './connection.ts'
import type { ConnectionUrl } from './connection-url.ts'

/** The database that every server has for being connected to before there is another. */
const maintenanceDatabase = 'postgres'

/**
 * Creates the database that a URL names, over the same server's `postgres` database and with the same login. Being told
 * that it exists is a success: several runs may create it at once.
 * @returns whether this call created it
 */
export async function createDatabase(url: ConnectionUrl): Promise<boolean> {
  await using connection: Connection = openConnection(url.withDatabase(maintenanceDatabase))
  try {
    await connection.send(`create database ${quoteIdentifier(url.database)}`)
    return true
  } catch (error) {
    // Duplicate database; or a unique violation in pg_database, when somebody else's creation commits first.
    if (error instanceof Error && 'code' in error && (error.code === '42P04' || error.code === '23505')) return false
    if (error instanceof Error && 'code' in error && error.code === '42501') throw notAllowed(url, error)
    throw error
  }
}

function notAllowed(url: ConnectionUrl, cause: Error): DroverError {
  return new DroverError(
    {
      code: 'PRIVILEGE_MISSING',
      message: `user "${url.user}" may not create the database "${url.database}" on ${url.host}:${url.port}`,
      hint: `let an administrator create it (create database ${quoteIdentifier(url.database)} owner ${quoteIdentifier(url.user)}), then run the same command again`,
      sqlstate: '42501',
    },
    { cause },
  )
}
