import { findServer } from './embedded/find-server.ts'
import type { RunningServer } from './embedded/find-server.ts'
import type { StartEvent } from './embedded/start-event.ts'

/**
 * Returns the embedded PostgreSQL of a folder, and starts it (and creates its data) when it does not run.
 *
 * The server listens on 127.0.0.1 only, keeps its port from start to start while that is free, is detached and so
 * outlives this process, and belongs to the folder: every later call, from any process, gets the same one. Callers
 * that start at the same moment wait for each other, 60 s at most for each thing, and hear through `onProgress` what
 * they wait for. As root it runs as an unprivileged user; when that user cannot reach the folder, the data is kept
 * under `outside` (default `/var/lib/drover`) and the folder points to it. With `durable: false` (default true) it does not
 * wait for the disk, which may cost the data when the machine stops: for data that is thrown away anyway.
 *
 * Throws ServerError, every code but STOP_FAILED and INVALID_URL.
 */
export async function startEmbedded(options: {
  readonly folder: string
  readonly onProgress?: (event: StartEvent) => void
  readonly outside?: string
  readonly durable?: boolean
}): Promise<RunningServer> {
  const { startServer } = await import('./embedded/start-server.ts')
  return startServer(options)
}

/**
 * Returns the embedded PostgreSQL of a folder if it runs; never starts or waits for anything.
 *
 * It reads two small files and looks at one process, so that every command can afford it. Throws ServerError
 * BELONGS_TO_OTHER_USER or DAMAGED when there is something that it cannot read.
 */
export async function findEmbedded(folder: string): Promise<RunningServer | undefined> {
  return findServer(folder)
}

/**
 * Stops the embedded PostgreSQL of a folder and returns true, or returns false when none runs there.
 *
 * Sessions are ended (fast shutdown); after 30 s it no longer waits for the final checkpoint (immediate shutdown).
 * The data stays. Throws ServerError STOP_FAILED, BUSY, BELONGS_TO_OTHER_USER, FOLDER_UNUSABLE or DAMAGED.
 */
export async function stopEmbedded(folder: string): Promise<boolean> {
  const { stopServer } = await import('./embedded/stop-server.ts')
  return stopServer(folder)
}

/** Stops the embedded PostgreSQL of a folder, and removes the folder and all data, wherever it is. Throws as stopping does. */
export async function removeEmbedded(folder: string): Promise<void> {
  const { removeServer } = await import('./embedded/stop-server.ts')
  return removeServer(folder)
}
