import { existsSync, readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ifPresent, systemCode } from '../embedded/system-error.ts'

/** What came of looking for a Docker engine: the address of one that answers, or why there is none, in words. */
export type EngineSearch = { readonly address: string } | { readonly missing: string }

/**
 * Looks for a Docker engine where testcontainers will: at `DOCKER_HOST` (or what `~/.testcontainers.properties` says), and
 * without one at the usual sockets, those of rootless engines included.
 *
 * `systemSocket` (default `/var/run/docker.sock`) comes first. Loads nothing and starts nothing. Where there is no socket it has its answer at once; an engine has 5 s to say that it is there.
 */
export async function findEngine(
  env: Readonly<Record<string, string | undefined>>,
  systemSocket = '/var/run/docker.sock',
): Promise<EngineSearch> {
  const named = namedAddress(env)
  if (named !== undefined) {
    const refusal = await ask(named, env)
    return refusal === undefined ? { address: named } : { missing: `${named} does not answer (${refusal})` }
  }
  const refusals: string[] = []
  for (const socket of [systemSocket, ...otherSockets(env)]) {
    if (!existsSync(socket)) continue
    const address = `unix://${socket}`
    const refusal = await ask(address, env)
    if (refusal === undefined) return { address }
    refusals.push(`${address} does not answer (${refusal})`)
  }
  return { missing: refusals.join(', ') || 'DOCKER_HOST is not set, and there is none of the usual sockets' }
}

function namedAddress(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const properties = ifPresent(() => readFileSync(join(homedir(), '.testcontainers.properties'), 'utf8')) ?? ''
  const property = (name: string) =>
    properties
      .split('\n')
      .map((line) => line.split(/\s*[=:]\s*(.*)/s))
      .find(([key]) => key?.trim() === name)?.[1]
      ?.trim()
  return property('tc.host') ?? (env.DOCKER_HOST || property('docker.host'))
}

function otherSockets(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return [
    ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, 'docker.sock')] : []),
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.docker/desktop/docker.sock'),
    join('/run/user', String(userInfo().uid), 'docker.sock'),
  ]
}

const ANSWER_MS = 5000

/** Returns why an engine does not answer; undefined when it does. */
function ask(address: string, env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const url = URL.parse(address)
  if (url === null) return Promise.resolve('not an address')
  const place = url.hostname === '' ? { path: url.pathname } : { host: url.hostname, port: Number(url.port) || 2375 }
  // Through TLS it takes the certificates, which are testcontainers' business: that somebody listens must do.
  return env.DOCKER_TLS_VERIFY === '1' && 'host' in place ? knock(place) : ping(place)
}

type Place = { readonly path: string } | { readonly host: string; readonly port: number }

function ping(place: Place): Promise<string | undefined> {
  // Loaded here: most machines have nobody to ask.
  const { request } = process.getBuiltinModule('node:http')
  return new Promise((resolve) => {
    const asked = request({
      ...('host' in place ? place : { socketPath: place.path }),
      path: '/_ping',
      // Nothing of it stays open for the next question.
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    asked.once('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`)
    })
    asked.once('error', (error) => resolve(why(error)))
    asked.end()
  })
}

function knock(place: Place): Promise<string | undefined> {
  const { connect } = process.getBuiltinModule('node:net')
  return new Promise((resolve) => {
    const socket = connect({ ...place, signal: AbortSignal.timeout(ANSWER_MS) })
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error) => resolve(why(error)))
  })
}

function why(error: Error): string {
  return error.name === 'AbortError' ? `nothing in ${ANSWER_MS / 1000} s` : (systemCode(error) ?? error.message)
}
