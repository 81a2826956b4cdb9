import { type Connection, ConnectionUrl, openConnection } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

/** A database of its own for one test, made of SQL. Disposing of it closes its connection and drops it. */
export async function exampleDatabase(
  serverUrl: string,
  sql: string,
): Promise<AsyncDisposable & { readonly connection: Connection }> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await createThrowawayDatabase(serverUrl))
  const connection = opened.use(openConnection(ConnectionUrl.parse(database.url, 'the server of the tests')))
  await connection.send(sql)
  const owned = opened.move()
  return { connection, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
