import { createHash } from 'node:crypto'

import {
  type Connection,
  type ConnectionUrl,
  describeHolder,
  type HistoryState,
  listHistories,
  openConnection,
  readLease,
  readState,
} from '@drover/engine'
import { DroverError } from '@drover/history'

/** The state of a database that is not there. */
export const nothingThere: HistoryState = { applied: [] }

/** Opens the database of a tenant, does something in it, and closes it. @returns `undefined` where there is none */
export async function visitDatabase<Result>(
  url: ConnectionUrl,
  act: (connection: Connection) => Promise<Result>,
): Promise<Result | undefined> {
  await using connection = openConnection(url)
  try {
    return await act(connection)
  } catch (error) {
    if (error instanceof DroverError && error.code === 'DATABASE_MISSING') return undefined
    throw error
  }
}

/**
 * Reads what the database of a tenant has had.
 * @throws {DroverError} `SAME_DATABASE` where it has had another history, and so is no tenant's
 */
export async function readTenantDatabase(connection: Connection, history: string): Promise<HistoryState> {
  const state = await readState(connection, history)
  // What has had our revisions is ours; most of those that have had none are new.
  if (state.applied.length > 0 || !state.initialised) return state
  await refuseOtherHistories(connection, history)
  return state
}

/**
 * A name that a slug makes may be that of a database which is there for something else.
 * @throws {DroverError} `SAME_DATABASE`
 */
export async function refuseOtherHistories(connection: Connection, history: string): Promise<void> {
  const others = (await listHistories(connection)).filter((other) => other !== history)
  if (others.length === 0) return
  const { database } = connection.url
  throw new DroverError({
    code: 'SAME_DATABASE',
    message: `the database ${database} is no tenant's: it has the revisions of ${others.join(' and ')}`,
    hint: 'choose another slug, or another "database" in databasePerTenant({ … })',
  })
}

/** The same text for the same revisions with the same checksums, and the empty one for none. What is half done is the same for no two. */
export function stateKeyOf({ applied, halfDone }: HistoryState, database: string): string {
  if (applied.length === 0 && !halfDone) return ''
  const lines = applied.map(({ id, checksum }) => `${id} ${checksum}`).toSorted()
  const own = halfDone ? [`${halfDone.id} of ${database}`] : []
  return `${applied.length}/${createHash('sha256')
    .update([...lines, ...own].join('\n'))
    .digest('hex')}`
}

/**
 * Refuses the database of a tenant that somebody is at work on, and one that is there for something else.
 * @throws {DroverError} `LOCKED`, `SAME_DATABASE`
 */
export async function refuseHeld(connection: Connection, history: string): Promise<void> {
  await refuseOtherHistories(connection, history)
  const lease = await readLease(connection, history)
  if (lease.state !== 'held' && lease.transactionPid === undefined) return
  const who =
    lease.state === 'held' ? describeHolder(lease.holder) : `the session ${lease.transactionPid} of its server`
  throw new DroverError({
    code: 'LOCKED',
    message: `somebody is at work in ${connection.url.database}: ${who}`,
    hint: 'run the same command again when that has ended',
  })
}
