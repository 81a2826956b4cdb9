import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServerError } from '../server-error.ts'
import { ifPresent } from './system-error.ts'

/** What a folder remembers of its server, in `server.json`. Nothing in it is secret. */
export interface ServerState {
  /** Where the cluster is: relative to the folder, or absolute when it had to be placed outside. */
  readonly cluster: string
  /** The port of the last start. */
  readonly port?: number
  /** The version of the last start. */
  readonly version?: string
  /** Absent after a stop; after a crash it names a process that is gone. */
  readonly running?: RunningPostmaster
}

export interface RunningPostmaster {
  readonly pid: number
  /** The data folder as the postmaster was told it. */
  readonly data: string
  /** A word on its command line that no other process has. */
  readonly marker: string
}

/** Reads what the folder remembers; undefined when there is nothing. Throws DAMAGED. */
export function readState(folder: string): ServerState | undefined {
  const file = join(folder, 'server.json')
  const text = ifPresent(() => readFileSync(file, 'utf8'))
  if (text === undefined) return undefined
  const state = parseState(text)
  // Going on as if it were absent could abandon a cluster that it points to.
  if (state === undefined) {
    throw new ServerError('DAMAGED', `${file} is damaged.`, {
      hint: `Stop the server if it still runs, and remove ${folder} to begin with an empty one.`,
    })
  }
  return state
}

/** Replaces what the folder remembers, at once or not at all. */
export function writeState(folder: string, state: ServerState): void {
  const file = join(folder, 'server.json')
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o644, flush: true })
  renameSync(fresh, file)
}

function parseState(text: string): ServerState | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isState(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isState(value: unknown): value is ServerState {
  return (
    isRecord(value) &&
    typeof value.cluster === 'string' &&
    (value.port === undefined || typeof value.port === 'number') &&
    (value.version === undefined || typeof value.version === 'string') &&
    (value.running === undefined || isRunning(value.running))
  )
}

function isRunning(value: unknown): value is RunningPostmaster {
  return (
    isRecord(value) &&
    Number.isInteger(value.pid) &&
    Number(value.pid) > 1 &&
    typeof value.data === 'string' &&
    typeof value.marker === 'string'
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
