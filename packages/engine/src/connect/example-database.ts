import { createThrowawayDatabase } from '@drover/server'

import { type Connection, type ConnectionOptions, openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

/** A database of its own for one test. Disposing of it closes its connections and drops it. */
export interface ExampleDatabase extends AsyncDisposable {
  readonly url: ConnectionUrl
  /** Opens a connection that lives as long as the database. */
  connect(options?: ConnectionOptions): Connection
}

/** Creates a database for one test on a server. */
export async function exampleDatabase(serverUrl: string): Promise<ExampleDatabase> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await createThrowawayDatabase(serverUrl))
  const url = ConnectionUrl.parse(database.url, 'the server of the tests')
  const owned = opened.move()
  return {
    url,
    connect: (options) => owned.use(openConnection(url, options)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
