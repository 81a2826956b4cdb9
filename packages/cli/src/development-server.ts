import { DroverError } from '@drover/history'
import { ServerError, type StartEvent } from '@drover/server'

/** A step of starting the development server, as a line of progress. */
export function describeStart(event: StartEvent): string {
  switch (event.type) {
    case 'waiting-for-starter':
      return `server: process ${event.pid} is starting it, waiting`
    case 'placing-data-outside':
      return `server: user ${event.user} cannot reach ${event.folder}, so the data goes to ${event.outside}`
    case 'copying-programs':
      return `server: copying the programs of PostgreSQL to ${event.to}`
    case 'creating-cluster':
      return `server: creating a PostgreSQL cluster in ${event.folder}`
    case 'removing-stale-pid-file':
      return `server: removing what a crash left behind (process ${event.pid} is gone)`
    case 'starting':
      return `server: starting PostgreSQL on 127.0.0.1:${event.port}`
    case 'waiting-for-server':
      return `server: process ${event.pid} is ${event.status}, waiting`
  }
}

/** Runs something of the server's room; its errors become ours. */
export async function translateServerErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    throw new DroverError({ code: 'SERVER_UNAVAILABLE', message: error.message, hint: error.hint }, { cause: error })
  }
}
