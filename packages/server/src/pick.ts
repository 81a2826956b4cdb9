import { chmodSync, lstatSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import { isAlive } from './embedded/process-identity.ts'
import type { StartEvent } from './embedded/start-event.ts'
import { ServerError } from './server-error.ts'
import { serverUrl } from './server-url.ts'

/** A server for tests. Disposing of it stops it if it was started for these tests. */
export interface PickedServer extends AsyncDisposable {
  readonly kind: 'named' | 'embedded'
  /** Names a database that exists and a user who may create others. */
  readonly url: string
}

export interface PickOptions {
  /**
   * Where an embedded server keeps its data from run to run. By default it gets a new folder among the temporary files
   * of the system, which is removed when the server is disposed of, or by a later run when this one is killed.
   */
  readonly folder?: string
  readonly onProgress?: (event: StartEvent) => void
}

/**
 * Picks the server for tests: the one that `DROVER_TEST_SERVER` names by its URL, else an embedded one.
 *
 * Throws ServerError INVALID_URL, or what `startEmbedded` throws.
 */
export async function pickServer(
  env: Readonly<Record<string, string | undefined>>,
  options: PickOptions = {},
): Promise<PickedServer> {
  // The first provider that has a server wins.
  for (const provide of [provideNamed, provideEmbedded]) {
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
  const url = env.DROVER_TEST_SERVER
  if (!url) return undefined
  if (!/^postgres(?:ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new ServerError('INVALID_URL', 'DROVER_TEST_SERVER is not the URL of a PostgreSQL server.', {
      hint: 'It should read postgres://user:password@host:port/database, special characters percent-encoded.',
    })
  }
  return { kind: 'named', url, [Symbol.asyncDispose]: async () => {} }
}

const provideEmbedded: Provider = async (_env, options) => {
  const { folder = makeTemporaryFolder() } = options
  const passing = options.folder === undefined
  if (passing) await removeForgotten()
  const server = await startEmbedded({ ...options, folder, durable: !passing })
  return {
    kind: 'embedded',
    url: serverUrl(server),
    [Symbol.asyncDispose]: async () => {
      if (passing) await removeEmbedded(folder)
      else if (!server.reused) await stopEmbedded(folder)
    },
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
