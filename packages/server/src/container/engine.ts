import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'

import { getContainerRuntimeClient, ImageName } from 'testcontainers'
import { WITHOUT } from '../container.ts'
import type { PullEvent } from '../container.ts'
import { ServerError } from '../server-error.ts'

/** A Docker engine on this machine. */
export type ContainerEngine = Awaited<ReturnType<typeof getContainerRuntimeClient>>

/** Connects to the Docker engine that testcontainers finds. Throws ServerError ENGINE_UNUSABLE. */
export async function connectToEngine(): Promise<ContainerEngine> {
  const engine = await getContainerRuntimeClient().catch((cause: unknown) => {
    throw new ServerError('ENGINE_UNUSABLE', 'testcontainers finds no Docker engine that it can use.', {
      hint: `DEBUG=testcontainers* shows what it tries. ${WITHOUT}`,
      cause,
    })
  })
  const { host } = engine.info.containerRuntime
  if (!(await isHere(host))) {
    const why = 'a container that only its own machine can reach cannot be reached from here'
    throw new ServerError('ENGINE_UNUSABLE', `The Docker engine is at ${host}: ${why}.`, {
      hint: `Use an engine of this machine, or give the URL of a server in DROVER_TEST_SERVER. ${WITHOUT}`,
    })
  }
  return engine
}

/**
 * Whether a host is this machine. Where that is a container itself, testcontainers takes the gateway of the engine's network for the
 * engine's host: which is this machine if it has that address, and the one outside if not. Only an address of one's own can be
 * bound; `networkInterfaces()` leaves out a network with no container in it yet.
 */
async function isHere(host: string): Promise<boolean> {
  if (host === 'localhost' || host === '[::1]') return true
  const family = isIP(host)
  if (family === 0) return false
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  try {
    socket.bind({ address: host })
    await once(socket, 'listening')
    return true
  } catch {
    return false
  } finally {
    socket.close()
  }
}

/**
 * Makes sure that the engine has an image, pulls it if need be, and returns the name by which the engine knows it and its id.
 * Throws ServerError IMAGE_UNAVAILABLE.
 */
export async function ensureImage(
  engine: ContainerEngine,
  image: string,
  onProgress: (event: PullEvent) => void,
): Promise<{ readonly name: string; readonly id: string }> {
  try {
    // A registry of the house, which TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX names, becomes part of the name.
    const name = ImageName.fromString(image)
    if (!(await engine.image.exists(name))) {
      onProgress({ type: 'pulling-image', image: name.string })
      await engine.image.pull(name)
    }
    // A pull that breaks off half-way ends as if all were well.
    return { name: name.string, id: (await engine.image.inspect(name)).Id }
  } catch (cause) {
    const why = (cause instanceof Error ? cause.message : String(cause)).trim()
    throw new ServerError('IMAGE_UNAVAILABLE', `The image ${image} cannot be had: ${why}`, {
      hint: `Pull or build it, or name one that this machine has in DROVER_POSTGRES_IMAGE. ${WITHOUT}`,
      cause,
    })
  }
}
