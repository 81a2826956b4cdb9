import { accessSync, constants, mkdirSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { ensureCluster } from './cluster.ts'
import { HOST, USER, findServer } from './find-server.ts'
import type { RunningServer } from './find-server.ts'
import { choosePlace } from './place.ts'
import { ensurePostmaster } from './postmaster.ts'
import { findPrograms, runnableBy } from './programs.ts'
import { readState, writeState } from './server-state.ts'
import type { StartEvent } from './start-event.ts'
import { takeStartLock } from './start-lock.ts'
import { asServerError } from './system-error.ts'

/** Does what `startEmbedded` promises. */
export async function startServer(options: {
  readonly folder: string
  readonly onProgress?: (event: StartEvent) => void
  readonly outside?: string
  readonly durable?: boolean
}): Promise<RunningServer> {
  const folder = resolve(options.folder)
  const { outside = '/var/lib/drover', durable = true, onProgress = () => {} } = options
  try {
    return findServer(folder, { certain: true }) ?? (await startInTurn(folder, outside, durable, onProgress))
  } catch (error) {
    throw asServerError(error, folder)
  }
}

async function startInTurn(
  folder: string,
  outside: string,
  durable: boolean,
  onProgress: (event: StartEvent) => void,
): Promise<RunningServer> {
  const installed = findPrograms()
  mkdirSync(folder, { recursive: true })
  const home = realpathSync.native(folder)
  accessSync(home, constants.W_OK)
  using _turn = await takeStartLock(home, {
    onWait: (pid) => onProgress({ type: 'waiting-for-starter', pid, folder: home }),
  })
  const meanwhile = findServer(home, { certain: true })
  if (meanwhile !== undefined) return meanwhile

  const place = await choosePlace(home, outside, onProgress)
  const programs = place.user ? await runnableBy(place.user, installed, outside, onProgress) : installed
  const password = await ensureCluster(place, programs, onProgress)
  const postmaster = await ensurePostmaster(place, programs, { state: readState(home), durable, onProgress })
  const { pid, port, marker, reused } = postmaster
  const { version } = programs
  writeState(home, { cluster: place.recorded, port, version, running: { pid, data: place.data, marker } })
  return { host: HOST, port, user: USER, password, pid, folder: home, version, reused }
}
