import { getContainerRuntimeClient, ImageName } from 'testcontainers'
import { DEFAULT_IMAGE } from './container.ts'
import { findEngine } from './container/find-engine.ts'

/** The image that tests of containers use, or why there can be none here. Nothing is pulled for them. */
export async function findTestImage(
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly image: string } | { readonly missing: string }> {
  const engine = await findEngine(env)
  if ('missing' in engine) return { missing: `no Docker engine answers: ${engine.missing}` }
  const image = env.DROVER_POSTGRES_IMAGE || DEFAULT_IMAGE
  const { image: images } = await getContainerRuntimeClient()
  if (await images.exists(ImageName.fromString(image))) return { image }
  return { missing: `the Docker engine has no image ${image}; DROVER_POSTGRES_IMAGE names another` }
}

/** A container as the engine describes it; `name` may be an id. Undefined when there is none. */
export async function inspectContainer(name: string): Promise<ContainerFacts | undefined> {
  const { container } = await getContainerRuntimeClient()
  const [found] = await container.dockerode.listContainers({ all: true, filters: { name: [name] } })
  return found && container.dockerode.getContainer(found.Id).inspect()
}

/** The names of the containers for tests that were started from a process with this pid. */
export async function containersOf(pid: number | undefined): Promise<readonly string[]> {
  const { container } = await getContainerRuntimeClient()
  const found = await container.dockerode.listContainers({ all: true, filters: { label: [`drover.pid=${pid}`] } })
  return found.map(({ Names }) => Names[0]!.slice(1))
}

type Dockerode = Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['dockerode']
type ContainerFacts = Awaited<ReturnType<ReturnType<Dockerode['getContainer']>['inspect']>>
