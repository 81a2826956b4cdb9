import { chmodSync, lstatSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startContainer } from './container.ts'
import type { PullEvent } from './container.ts'
import { removeEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import { isAlive } from './embedded/process-identity.ts'
import type { StartEvent } from './embedded/start-event.ts'
import { ServerError } from './server-error.ts'
import { serverUrl } from './server-url.ts'

/** A server for tests. Disposing of it stops it if it was started for these tests. */
export interface PickedServer extends AsyncDisposable {
  readonly kind: 'named' | 'container' | 'embedded'
  /** Names a database that exists and a user who may create others. */
  readonly url: string
  /** What it is, for people; without the password. */
  readonly description: string
}

/** What picking a server is doing; `no-container` says why an engine that answers is not used. */
export type PickEvent = StartEvent | PullEvent | { readonly type: 'no-container'; readonly reason: string }

export interface PickOptions {
  /**
   * Where an embedded server keeps its data from run to run; it is then preferred to a container. By default it gets a new
   * folder among the temporary files of the system, which is removed when the server is disposed of, or by a later run when
   * this one is killed.
   */
  readonly folder?: string
  /** By default `pulling-image` and `no-container` become lines on stderr, and the rest is not told. */
  readonly onProgress?: (event: PickEvent) => void
}

/**
 * Picks the server for tests: the one that `DROVER_TEST_SERVER` names by its URL, else a container where a Docker engine
 * answers and testcontainers is installed, else an embedded one.
 *
 * `DROVER_TEST_SERVER` may also be `container` or `embedded`, to have that and nothing else. `DROVER_POSTGRES_IMAGE` names the
 * image of the container (default `postgres:18.4`); who names one gets it or an error, while without it whatever is in the
 * way of a container leads to the embedded server. With `TESTCONTAINERS_REUSE_ENABLE=true` the container stays for later runs.
 *
 * Throws ServerError INVALID_URL, or what `startContainer` and `startEmbedded` throw.
 */
export async function pickServer(
  env: Readonly<Record<string, string | undefined>>,
  options: PickOptions = {},
): Promise<PickedServer> {
  // The first provider that has a server wins.
  for (const provide of [provideNamed, provideContainer, provideEmbedded]) {
    const server = await provide(env, options)
    if (server !== undefined) return server
  }
  throw new Error('the last provider always has a server')
}

type Provider = (
  env: Readonly<Record<string, string | undefined>>,
  options: PickOptions,
) => Promise<PickedServer | undefined>

const provideNamed: Provider = async (env) => {
  const named = env.DROVER_TEST_SERVER
  if (!named || named === 'container' || named === 'embedded') return undefined
  const url = URL.parse(named)
  if (!/^postgres(?:ql)?:$/.test(url?.protocol ?? '')) {
    throw new ServerError('INVALID_URL', 'DROVER_TEST_SERVER is not the URL of a PostgreSQL server.', {
      hint: 'It should read postgres://user:password@host:port/database, special characters percent-encoded; or `container` or `embedded`.',
    })
  }
  const description = `the server ${url?.host} that DROVER_TEST_SERVER names`
  return { kind: 'named', url: named, description, [Symbol.asyncDispose]: async () => {} }
}

const provideContainer: Provider = async (env, { folder, onProgress = sayOnStderr }) => {
  const { DROVER_TEST_SERVER: wanted, DROVER_POSTGRES_IMAGE: image } = env
  if (wanted === 'embedded') return undefined
  const isDemanded = wanted === 'container' || Boolean(image)
  if (folder !== undefined && !isDemanded) return undefined
  try {
    const container = await startContainer(env, {
      ...(image && { image }),
      keep: env.TESTCONTAINERS_REUSE_ENABLE === 'true',
      onProgress,
    })
    return {
      kind: 'container',
      url: container.url,
      description: `PostgreSQL ${container.version} in a container of ${container.image}`,
      [Symbol.asyncDispose]: () => container.stop(),
    }
  } catch (error) {
    if (isDemanded || !(error instanceof ServerError)) throw error
    // A machine without Docker, or a project without testcontainers, is nothing to talk about.
    if (error.code !== 'NO_CONTAINER_ENGINE') onProgress({ type: 'no-container', reason: error.message })
    return undefined
  }
}

const provideEmbedded: Provider = async (_env, options) => {
  const { folder = makeTemporaryFolder() } = options
  const passing = options.folder === undefined
  if (passing) await removeForgotten()
  const server = await startEmbedded({ ...options, folder, durable: !passing })
  return {
    kind: 'embedded',
    url: serverUrl(server),
    description: `the embedded PostgreSQL ${server.version}`,
    [Symbol.asyncDispose]: async () => {
      if (passing) await removeEmbedded(folder)
      else if (!server.reused) await stopEmbedded(folder)
    },
  }
}

function sayOnStderr(event: PickEvent): void {
  if (event.type === 'pulling-image') process.stderr.write(`Pulling the image ${event.image} for tests.\n`)
  if (event.type === 'no-container') {
    const why = event.reason.replace(/\.?$/, '.')
    process.stderr.write(`${why} Tests use the embedded server; DROVER_TEST_SERVER=embedded asks for no other.\n`)
  }
}

const TEMPORARY = 'drover-test-server'

function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `${TEMPORARY}-${process.pid}-`))
  // Open to the user who runs the server for root; what is secret in it has modes of its own.
  chmodSync(folder, 0o755)
  return folder
}

/** Stops and removes the servers of test runs that were killed: those in folders named after a process that is gone. */
async function removeForgotten(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${TEMPORARY}-(\\d+)-`).exec(name)?.[1] ?? 0)
    if (pid === 0 || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    const stats = lstatSync(folder, { throwIfNoEntry: false })
    // In a folder that everybody may write to, only what this user has made can be trusted.
    if (!stats?.isDirectory() || stats.uid !== process.geteuid?.()) continue
    try {
      await removeEmbedded(folder)
    } catch (error) {
      // It stays for the next run, and is no reason for this one to fail.
      if (!(error instanceof ServerError)) throw error
    }
  }
}
