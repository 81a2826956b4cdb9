import { type Connection, ConnectionUrl, openConnection } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { inject } from 'vitest'

/** A database with one table in it, which is to survive. */
export interface Canary extends AsyncDisposable {
  readonly url: string
  readonly connection: Connection
  /** Whether nothing was dropped, and nothing came besides. */
  isWhole(): Promise<boolean>
}

/** Creates such a database on the server of the tests. */
export async function createCanary(): Promise<Canary> {
  const database = await createThrowawayDatabase(inject('serverUrl'))
  const connection = openConnection(ConnectionUrl.parse(database.url, 'the test'))
  await connection.send('create table canary ()')
  return {
    url: database.url,
    connection,
    isWhole: async () => {
      const rows = await connection.send(`select relname from pg_class where relnamespace = 'public'::regnamespace`)
      return rows.length === 1 && rows[0]?.['relname'] === 'canary'
    },
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
