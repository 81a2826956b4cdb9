import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServerError } from '../server-error.ts'
import { NOT_DURABLE, SETTINGS } from '../settings.ts'
import { PROGRAM_ENV } from './cluster.ts'
import { HOST } from './find-server.ts'
import type { Place } from './place.ts'
import { choosePort } from './port.ts'
import { markerFor, markerOf, postmasterFile, readPostmasterFile } from './postmaster-file.ts'
import { carries, isAlive } from './process-identity.ts'
import type { Programs } from './programs.ts'
import type { RunningPostmaster, ServerState } from './server-state.ts'
import type { StartEvent } from './start-event.ts'
import { ifPresent } from './system-error.ts'
import { waitFor } from './wait.ts'

/** A postmaster that accepts connections. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** The word by which it is known. */
  readonly marker: string
  /** True when it ran already. */
  readonly reused: boolean
}

/**
 * Returns the postmaster of a place, started if there is none, once it accepts connections.
 *
 * A postmaster that a killed start has left running is taken over, a pid file that names a foreign process is removed.
 * Throws START_FAILED with the last lines of the log. The caller holds the start lock.
 */
export async function ensurePostmaster(
  place: Place,
  programs: Programs,
  options: {
    readonly state: ServerState | undefined
    readonly durable: boolean
    readonly onProgress: (event: StartEvent) => void
  },
): Promise<Postmaster> {
  const deadline = performance.now() + READY_MS
  const taken = new Set<number>()
  for (;;) {
    const running = await findRunning(place, options.state?.running, options.onProgress)
    if (running !== undefined) return running

    const port = await choosePort(place.home, { previous: options.state?.port, taken })
    options.onProgress({ type: 'starting', port })
    const outcome = await launch(place, programs, port, options)
    if ('pid' in outcome) return outcome

    if (PORT_IN_USE.test(outcome.said)) taken.add(port)
    else if (!STILL_THERE.test(outcome.said)) throw startFailed(place, outcome.said, outcome.cause)
    if (performance.now() > deadline || taken.size > 20) throw startFailed(place, outcome.said, outcome.cause)
    // What is still there are sessions of a killed server, or a postmaster that a killed start has just begun.
    await waitFor(() => undefined, { timeoutMs: 100, everyMs: 100 })
  }
}

const READY_MS = 60_000
const PORT_IN_USE = /Address already in use|could not bind|could not create any TCP\/IP sockets/
const STILL_THERE = /pre-existing shared memory block|lock file "[^"]*" (?:already exists|is empty)/

async function findRunning(
  place: Place,
  recorded: RunningPostmaster | undefined,
  onProgress: (event: StartEvent) => void,
): Promise<Postmaster | undefined> {
  const { pid } = readPostmasterFile(place.data) ?? {}
  if (pid === undefined) {
    removeEmptyPidFile(place)
    return undefined
  }
  const marker = markerOf(pid, place.data, recorded)
  if (marker !== undefined) {
    const port = await waitUntilReady(place, pid, () => !carries(pid, marker), onProgress)
    return port === undefined ? undefined : { pid, port, marker, reused: true }
  }
  // PostgreSQL itself clears away the pid of a dead process, but takes any living one for a postmaster.
  if (isAlive(pid)) {
    const file = postmasterFile(place.data)
    onProgress({ type: 'removing-stale-pid-file', file, pid })
    rmSync(file, { force: true })
  }
  return undefined
}

/** A machine that lost its power may leave an empty one, at which PostgreSQL stops; one this old is not being written. */
function removeEmptyPidFile(place: Place): void {
  const file = postmasterFile(place.data)
  const stats = ifPresent(() => statSync(file))
  if (stats !== undefined && stats.size === 0 && stats.mtimeMs < Date.now() - 2000) rmSync(file, { force: true })
}

type Outcome = Postmaster | { readonly said: string; readonly cause?: unknown }

async function launch(
  place: Place,
  programs: Programs,
  port: number,
  { durable, onProgress }: { readonly durable: boolean; readonly onProgress: (event: StartEvent) => void },
): Promise<Outcome> {
  const marker = markerFor(place.data)
  const log = openLog(place)
  try {
    const before = fstatSync(log).size
    const child = spawn(join(programs.folder, 'bin/postgres'), ['-D', place.data, ...settings(port, marker, durable)], {
      // A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
      detached: true,
      cwd: '/',
      env: PROGRAM_ENV,
      stdio: ['ignore', log, log],
      ...(place.user && { uid: place.user.uid, gid: place.user.gid }),
    })
    child.unref()
    let failure: unknown
    let ended = false
    child.once('error', (error) => {
      failure = error
      ended = true
    })
    child.once('exit', () => {
      ended = true
    })
    const { pid } = child
    const ready = pid === undefined ? undefined : await waitUntilReady(place, pid, () => ended, onProgress)
    if (pid !== undefined && ready !== undefined) return { pid, port: ready, marker, reused: false }
    const said = readFileSync(logFile(place)).subarray(before).toString()
    return failure === undefined ? { said } : { said, cause: failure }
  } finally {
    closeSync(log)
  }
}

/**
 * The settings of an embedded server, as far as they are not PostgreSQL's defaults. They stand on the command line and
 * so follow the installed version of this package, not the day on which the cluster was made. `fsync` stays on where
 * the data is someone's work.
 */
function settings(port: number, marker: string, durable: boolean): readonly string[] {
  return [
    ...SETTINGS,
    ...(durable ? [] : NOT_DURABLE),
    `port=${port}`,
    `listen_addresses=${HOST}`,
    // The path of a socket may have about 100 bytes, and a workspace may lie anywhere.
    'unix_socket_directories=',
    // Tells this server from all others; also in the titles of its processes.
    marker,
  ].flatMap((setting) => ['-c', setting])
}

/** Waits until the postmaster says that it is ready and returns its port; undefined when it ends before that. */
async function waitUntilReady(
  place: Place,
  pid: number,
  hasEnded: () => boolean,
  onProgress: (event: StartEvent) => void,
): Promise<number | undefined> {
  let told = ''
  const outcome = await waitFor(
    () => {
      if (hasEnded()) return 'ended'
      const file = readPostmasterFile(place.data)
      if (file?.pid !== pid) return undefined
      if (file.status === 'ready') return file.port
      if (file.status !== undefined && file.status !== told) {
        told = file.status
        onProgress({ type: 'waiting-for-server', pid, status: told })
      }
      return undefined
    },
    { timeoutMs: READY_MS, everyMs: 10 },
  )
  if (outcome !== undefined) return outcome === 'ended' ? undefined : outcome
  throw new ServerError('START_FAILED', `The server with pid ${pid} is not ready after ${READY_MS / 1000} s.`, {
    hint: `It goes on (recovering, perhaps): see ${logFile(place)}, and start again to wait for it.`,
  })
}

function openLog(place: Place): number {
  const file = logFile(place)
  // One log is kept beside the current one.
  if ((ifPresent(() => statSync(file).size) ?? 0) > 10_000_000) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

function logFile(place: Place): string {
  return join(place.home, 'server.log')
}

function startFailed(place: Place, said: string, cause?: unknown): ServerError {
  const lines = said.trim().split('\n').slice(-12).join('\n')
  const why = lines || (cause instanceof Error ? cause.message : 'it said nothing')
  return new ServerError('START_FAILED', `The server in ${place.home} did not start:\n${why}`, {
    hint: `The whole log is ${logFile(place)}.`,
    cause,
  })
}
