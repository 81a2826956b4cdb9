import type { runContainer } from './container/run-container.ts'
import { systemCode } from './embedded/system-error.ts'
import { ServerError } from './server-error.ts'

/** The image of containers for tests, unless another is named: the official one, of the embedded server's version. */
export const DEFAULT_IMAGE = 'postgres:18.4'

/** A PostgreSQL that accepts connections in a container. */
export interface RunningContainer {
  readonly url: string
  /** As the engine knows it. */
  readonly image: string
  /** What the server says its version is, such as `18.4`. */
  readonly version: string
  /** Removes it, unless it stays for the next run. */
  stop(): Promise<void>
}

/** What is done before a container starts and may take long. */
export interface PullEvent {
  readonly type: 'pulling-image'
  readonly image: string
}

/**
 * Starts PostgreSQL in a container through testcontainers, for data that is thrown away.
 *
 * The container listens on 127.0.0.1 only, keeps its data in memory and does not wait for any disk. `image` defaults to
 * `postgres:18.4`; one that the engine does not have is pulled. With `keep` it stays when it is stopped, and whoever asks for the
 * same image with `keep` gets it again. Otherwise it is removed by `stop`; when this process is killed, by testcontainers'
 * Ryuk where that runs, else by the next call on this machine.
 *
 * `env` tells where the engine is (`DOCKER_HOST`); testcontainers itself reads that and its own variables from the process.
 *
 * Throws ServerError NO_CONTAINER_ENGINE (also where testcontainers is not installed), ENGINE_UNUSABLE (one of another machine),
 * IMAGE_UNAVAILABLE or START_FAILED.
 */
export async function startContainer(
  env: Readonly<Record<string, string | undefined>>,
  options: {
    readonly image?: string
    readonly keep?: boolean
    readonly onProgress?: (event: PullEvent) => void
  } = {},
): Promise<RunningContainer> {
  const { image = DEFAULT_IMAGE, keep = false, onProgress = () => {} } = options
  const { findEngine } = await import('./container/find-engine.ts')
  const engine = await findEngine(env)
  if ('missing' in engine) {
    throw new ServerError('NO_CONTAINER_ENGINE', `No Docker engine answers: ${engine.missing}.`, {
      hint: `Start Docker. ${WITHOUT}`,
    })
  }
  const run = await loadTestcontainers()
  return run({ image, keep, onProgress })
}

/** What to do instead of having a container. */
export const WITHOUT = 'DROVER_TEST_SERVER=embedded uses the embedded server instead.'

/** Loaded by those who get this far: it takes half a second. */
async function loadTestcontainers(): Promise<typeof runContainer> {
  try {
    return (await import('./container/run-container.ts')).runContainer
  } catch (cause) {
    if (systemCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ServerError(
      'NO_CONTAINER_ENGINE',
      'testcontainers, which starts containers for tests, is not installed.',
      {
        hint: `Add testcontainers and @testcontainers/postgresql to the development dependencies. ${WITHOUT}`,
        cause,
      },
    )
  }
}
