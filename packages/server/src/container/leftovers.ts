import { hostname } from 'node:os'
import { birthOf, isSameProcess } from '../embedded/process-identity.ts'
import type { ContainerEngine } from './engine.ts'

/** On every container that Drover has started for tests: where, as `docker ps --filter label=drover.test-server=<folder>` finds it. */
export const TEST_SERVER = 'drover.test-server'

const HOST = 'drover.host'
const PID = 'drover.pid'
const BIRTH = 'drover.birth'

/** The labels of a container that is to go with this process, and of which nobody else may think that it is left over. */
export function labelsOfThisProcess(): Readonly<Record<string, string>> {
  return { [HOST]: hostname(), [PID]: String(process.pid), [BIRTH]: birthOf(process.pid) }
}

/**
 * Removes the containers of processes of this machine that are gone. Ryuk does the same, sooner, where it runs. What another
 * machine (or container) has started on the same engine stays: its processes cannot be seen from here.
 */
export async function removeForgottenContainers(engine: ContainerEngine): Promise<void> {
  const containers = await engine.container.dockerode.listContainers({
    all: true,
    filters: { label: [PID, `${HOST}=${hostname()}`] },
  })
  for (const { Id, Labels } of containers) {
    if (isSameProcess(Number(Labels[PID]), Labels[BIRTH] ?? '')) continue
    await removeContainer(engine, Id)
  }
}

/** Ends and removes a container with its volumes, by id or name. One that is gone, or going, is no error. */
export async function removeContainer(engine: ContainerEngine, container: string): Promise<void> {
  try {
    await engine.container.dockerode.getContainer(container).remove({ force: true, v: true })
  } catch (error) {
    if (!ALREADY.has(statusOf(error))) throw error
  }
}

/** The status with which the engine has refused something. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : undefined
}

const ALREADY: ReadonlySet<number | undefined> = new Set([404, 409])
