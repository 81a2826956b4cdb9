import { readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { carries, mayCarry } from './process-identity.ts'
import { readState } from './server-state.ts'
import { belongsToOther, ifPresent, systemCode } from './system-error.ts'

/** A server that accepts connections, and what one needs to connect to it. */
export interface RunningServer {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly pid: number
  /** The folder it belongs to, absolute and without symbolic links. */
  readonly folder: string
  /** The version of its programs, such as `18.4`. */
  readonly version: string
  /** False when this very call started it. */
  readonly reused: boolean
}

/** The address of every embedded server: this machine and nobody else. */
export const HOST = '127.0.0.1'

/** The superuser of every embedded server. Not `drover`: a user's search_path begins with the schema of his own name. */
export const USER = 'postgres'

/**
 * Finds the server that runs for a folder.
 *
 * `certain` makes sure that the process is that server on platforms where this takes running `ps`; without it, a
 * foreign process that has got the pid of a crashed server is taken for it there (not on Linux).
 */
export function findServer(folder: string, options: { readonly certain?: boolean } = {}): RunningServer | undefined {
  try {
    const home = ifPresent(() => realpathSync.native(folder))
    const state = home === undefined ? undefined : readState(home)
    if (home === undefined || state?.running === undefined || state.port === undefined) return undefined

    const cluster = resolve(home, state.cluster)
    const { pid, data, marker } = state.running
    // In a folder that was moved or copied, this is the process of another place: starting sorts that out.
    if (data !== join(cluster, 'data')) return undefined
    if (!(options.certain ? carries(pid, marker) : mayCarry(pid, marker))) return undefined

    const password = readPassword(cluster)
    if (password === undefined) return undefined
    return {
      host: HOST,
      port: state.port,
      user: USER,
      password,
      pid,
      folder: home,
      version: state.version ?? '',
      reused: true,
    }
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw belongsToOther(folder, error)
    throw error
  }
}

/** Reads the superuser's password of a cluster; undefined when there is none. */
export function readPassword(cluster: string): string | undefined {
  return ifPresent(() => readFileSync(join(cluster, 'password'), 'utf8').trim())
}
