import { join } from 'node:path'

import { ConnectionUrl, type Environment } from '@drover/engine'
import { DroverError } from '@drover/history'
import { pickServer, serverUrl, startEmbedded } from '@drover/server'

import { readEnvironment } from './environment.ts'

/** The variable that names a server for tests; the set-ups of test runners set it for the processes that they start. */
const variable = 'DROVER_TEST_SERVER'

/**
 * Finds the server that all processes of a test run share: the one that is asked for; else the one that `DROVER_TEST_SERVER`
 * names; else, where a container is demanded, that; else an embedded one that belongs to the workspace, in `.drover/test-server`.
 * It is started by whoever needs it first, does not wait for the disk, and goes on running.
 * @throws {DroverError} `URL_INVALID`, `SERVER_UNAVAILABLE` for a container that each process would start anew
 * @throws {ServerError} when there is none to be had
 */
export async function findSharedServer(root: string, asked?: string): Promise<ConnectionUrl> {
  if (asked !== undefined) return ConnectionUrl.parse(asked, 'the option "server"')
  const environment = readEnvironment()
  const { DROVER_TEST_SERVER: named, DROVER_POSTGRES_IMAGE: image } = environment
  if (named === 'container' || (image && !named)) refusePassingContainer(environment)
  else if (!named || named === 'embedded') return startWithWorkspace(root)
  // It is nobody's to stop: what is named runs anyway, and what is reused goes on running.
  const { url } = await pickServer(environment)
  return ConnectionUrl.parse(url, variable)
}

function refusePassingContainer(environment: Environment): void {
  if (environment['TESTCONTAINERS_REUSE_ENABLE'] === 'true') return
  throw new DroverError({
    code: 'SERVER_UNAVAILABLE',
    message: 'a container is asked for, and every process that tests would start one of its own',
    hint: 'start one for the whole run, with @drover/testing/vitest-setup or @drover/testing/node-setup; or let it be reused: TESTCONTAINERS_REUSE_ENABLE=true',
  })
}

async function startWithWorkspace(root: string): Promise<ConnectionUrl> {
  const server = await startEmbedded({ folder: join(root, '.drover', 'test-server'), durable: false })
  // It listens on this machine alone: asking it for TLS would be a round trip for nothing.
  return ConnectionUrl.parse(`${serverUrl(server)}?sslmode=disable`, 'the embedded server for tests')
}

/**
 * Picks a server for a whole test run (named, a container, embedded), says on stderr which, and tells the processes that are
 * started from now on where it is. Disposing of it stops it if it was started for the run.
 * @throws {ServerError} when there is none to be had
 */
export async function startForRun(): Promise<AsyncDisposable> {
  const { env } = process
  const before = env[variable]
  const server = await pickServer(env)
  env[variable] = server.url
  // The same tests mean something else on another version.
  process.stderr.write(`Tests use ${server.description}.\n`)
  return {
    [Symbol.asyncDispose]: async () => {
      if (before === undefined) delete env[variable]
      else env[variable] = before
      await server[Symbol.asyncDispose]()
    },
  }
}
