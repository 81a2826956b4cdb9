import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServerError } from '../server-error.ts'
import { carries } from './process-identity.ts'
import type { RunningPostmaster } from './server-state.ts'
import { belongsToOther, ifPresent, systemCode } from './system-error.ts'
import { waitFor } from './wait.ts'

/** What a postmaster says of itself in `postmaster.pid`, line by line and not all at once. */
export interface PostmasterFile {
  readonly pid?: number
  readonly port?: number
  /** `starting`, `standby`, `ready` or `stopping`. */
  readonly status?: string
}

/** Reads what the postmaster of a data folder wrote, if one is there or a crashed one left it. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  const text = ifPresent(() => readFileSync(postmasterFile(data), 'utf8'))
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  const status = lines[7]?.trim()
  return { ...(pid > 0 && { pid }), ...(port > 0 && { port }), ...(status && { status }) }
}

/** Names the file in which a postmaster writes about itself. */
export function postmasterFile(data: string): string {
  return join(data, 'postmaster.pid')
}

/**
 * Tells whether a process is the postmaster of a data folder: returns the marker that it carries, or undefined.
 *
 * Neither a foreign process with the pid of a crashed postmaster is, nor, in a copied folder, the postmaster of the
 * original. In a moved folder the one that was started before is, and carries the marker that `recorded` says.
 */
export function markerOf(pid: number, data: string, recorded: RunningPostmaster | undefined): string | undefined {
  const own = markerFor(data)
  if (carries(pid, own)) return own
  if (recorded?.pid !== pid || !carries(pid, recorded.marker)) return undefined
  const isElsewhere = recorded.data !== data && readPostmasterFile(recorded.data)?.pid === pid
  return isElsewhere ? undefined : recorded.marker
}

/** A word for the command line of the postmaster: plain ASCII, and different for every data folder. */
export function markerFor(data: string): string {
  return `cluster_name=drover-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`
}

/**
 * Stops the postmaster that carries the marker and waits until it is gone: 30 s for a fast shutdown, then 10 s for an
 * immediate one, after which the next start recovers. `folder` is whose it is. Throws STOP_FAILED.
 */
export async function stopPostmaster(pid: number, marker: string, folder: string): Promise<void> {
  for (const { signal, timeoutMs } of SHUTDOWNS) {
    if (!carries(pid, marker)) return
    send(pid, signal, folder)
    if (await waitFor(() => (carries(pid, marker) ? undefined : true), { timeoutMs })) return
  }
  throw new ServerError('STOP_FAILED', `The server with pid ${pid} in ${folder} does not stop.`, {
    hint: `Look into its log, or end process ${pid} by hand; the next start recovers the data.`,
  })
}

const SHUTDOWNS = [
  { signal: 'SIGINT', timeoutMs: 30_000 },
  { signal: 'SIGQUIT', timeoutMs: 10_000 },
] as const

function send(pid: number, signal: NodeJS.Signals, folder: string): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (systemCode(error) === 'EPERM') throw belongsToOther(folder, error)
    if (systemCode(error) !== 'ESRCH') throw error
  }
}
