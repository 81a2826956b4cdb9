import { realpathSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { findServer } from './find-server.ts'
import { isOutside } from './place.ts'
import { markerOf, readPostmasterFile, stopPostmaster } from './postmaster-file.ts'
import { readState, writeState } from './server-state.ts'
import { takeStartLock } from './start-lock.ts'
import { asServerError, belongsToOther, ifPresent, systemCode } from './system-error.ts'

/** Does what `stopEmbedded` promises. */
export async function stopServer(folder: string): Promise<boolean> {
  const home = ifPresent(() => realpathSync.native(folder))
  if (home === undefined || readState(home) === undefined) return false
  // Says whose it is, before the lock would only say that the folder is not writable.
  findServer(home)
  try {
    using _turn = await takeStartLock(home)
    return await stopInTurn(home)
  } catch (error) {
    throw asServerError(error, home)
  }
}

/** Does what `removeEmbedded` promises. */
export async function removeServer(folder: string): Promise<void> {
  await stopServer(folder)
  const home = ifPresent(() => realpathSync.native(folder))
  if (home === undefined) return
  const { cluster } = readState(home) ?? {}
  if (cluster !== undefined && isOutside(cluster, home)) rmSync(dirname(cluster), { recursive: true, force: true })
  rmSync(home, { recursive: true, force: true })
}

async function stopInTurn(home: string): Promise<boolean> {
  const state = readState(home)
  if (state === undefined) return false
  const data = join(resolve(home, state.cluster), 'data')
  // The file is the postmaster's own word; what was remembered serves when the data was removed below it.
  let stopped = false
  for (const pid of new Set([readPid(home, data), state.running?.pid])) {
    const marker = pid === undefined ? undefined : markerOf(pid, data, state.running)
    if (pid === undefined || marker === undefined) continue
    await stopPostmaster(pid, marker, home)
    stopped = true
  }
  const { running: _gone, ...rest } = state
  writeState(home, rest)
  return stopped
}

function readPid(home: string, data: string): number | undefined {
  try {
    return readPostmasterFile(data)?.pid
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw belongsToOther(home, error)
    throw error
  }
}
