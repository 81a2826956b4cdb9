import { ConnectionUrl } from '@drover/engine'
import type { Queue } from '@drover/fleet'
import { DroverError } from '@drover/history'
import { type Database, readVariable, type Workspace } from '@drover/orchestrator'

import type { CommonOptions, Session } from './session.ts'
import { soleTenants } from './tenants.ts'

/** What all commands of fleets understand. */
export interface FleetOptions extends CommonOptions {
  /** The variable with the URL of the database that the queue is in. Default: it is where the tenants are listed. */
  readonly queue?: string
}

/** A database of tenants, and where its queue is. */
export interface FleetPlace {
  readonly workspace: Workspace
  readonly database: Database
  readonly url: ConnectionUrl
}

/** Finds the queue of the one database of tenants that a call is about. @throws {DroverError} `URL_MISSING`, `URL_INVALID`, `USAGE` */
export async function locateFleet(session: Session, { queue }: FleetOptions): Promise<FleetPlace> {
  const { workspace, database } = await soleTenants(session)
  const [located] = await session.locate(workspace, [database])
  const registry = located!.tenants!.registry
  if (queue === undefined) return { workspace, database, url: registry }
  const named = readVariable(queue, session.environment(workspace))
  if (named) return { workspace, database, url: ConnectionUrl.parse(named.text, named.source) }
  throw new DroverError({
    code: 'URL_MISSING',
    message: `${queue} is not set, and is to hold the URL of the database with the queue`,
    hint: `set ${queue}, or leave --queue out: the queue is then where the tenants are listed`,
  })
}

/** Opens a queue that is there already; `undefined` where none is. */
export async function openExisting({ url, database }: FleetPlace): Promise<Queue | undefined> {
  const { openQueue } = await import('@drover/fleet')
  return openQueue(url, database.name, 'look')
}
