import { createHash, randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { getReaper } from 'testcontainers'
import type { PullEvent, RunningContainer } from '../container.ts'
import { HOST, USER } from '../embedded/find-server.ts'
import { ServerError } from '../server-error.ts'
import { serverUrl } from '../server-url.ts'
import { NOT_DURABLE, SETTINGS } from '../settings.ts'
import { connectToEngine, ensureImage } from './engine.ts'
import type { ContainerEngine } from './engine.ts'
import { TEST_SERVER, labelsOfThisProcess, removeContainer, removeForgottenContainers, statusOf } from './leftovers.ts'
import { startFailed, untilAnswers } from './until-answers.ts'

/** Does what `startContainer` promises, where there is an engine. */
export async function runContainer(options: {
  readonly image: string
  readonly keep: boolean
  readonly onProgress: (event: PullEvent) => void
}): Promise<RunningContainer> {
  const engine = await connectToEngine()
  await removeForgottenContainers(engine)
  const image = await ensureImage(engine, options.image, options.onProgress)
  if (options.keep) return keptContainer(engine, image)

  const name = `drover-test-server-${randomBytes(6).toString('hex')}`
  // Where Ryuk cannot be had, the next run does its work.
  const hasRyuk = await getReaper(engine).then(
    () => true,
    () => false,
  )
  const container = await create(engine, image.name, name, { ryuk: hasRyuk, labels: labelsOfThisProcess() })
  return { ...container, image: image.name, stop: () => removeContainer(engine, name) }
}

/** The container that stays from run to run: one for each user, image and set of settings, known by its name. */
async function keptContainer(
  engine: ContainerEngine,
  image: { readonly name: string; readonly id: string },
): Promise<RunningContainer> {
  const what = JSON.stringify([userInfo().uid, image, COMMAND])
  const name = `drover-test-server-${createHash('sha256').update(what).digest('hex').slice(0, 12)}`
  const stays = { image: image.name, stop: async () => {} }
  const deadline = performance.now() + CREATING_MS
  for (;;) {
    const found = await findRunning(engine, name)
    if (found === 'running') return { ...(await reuse(engine, name)), ...stays }
    // What has ended has lost its data; what has not begun belongs to another run that is about to, or was killed then.
    if (found === 'ended' || (found === 'created' && performance.now() > deadline)) await removeContainer(engine, name)
    if (found === 'created') {
      await sleep(100)
      continue
    }
    try {
      return { ...(await create(engine, image.name, name, { ryuk: false, labels: {} })), ...stays }
    } catch (error) {
      // Another run was quicker.
      if (statusOf(error) !== 409) throw error
    }
  }
}

const CREATING_MS = 10_000

async function findRunning(
  engine: ContainerEngine,
  name: string,
): Promise<'running' | 'created' | 'ended' | undefined> {
  try {
    const { State } = await engine.container.dockerode.getContainer(name).inspect()
    return State.Running ? 'running' : State.Status === 'created' ? 'created' : 'ended'
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

async function reuse(
  engine: ContainerEngine,
  name: string,
): Promise<{ readonly url: string; readonly version: string }> {
  const { Config, NetworkSettings } = await engine.container.dockerode.getContainer(name).inspect()
  // Who may ask the engine may do anything in the container, so the password is no secret to them.
  const password = Config.Env.find((line) => line.startsWith('POSTGRES_PASSWORD='))?.replace(/^[^=]*=/, '') ?? ''
  const port = Number(NetworkSettings.Ports[`${PORT}/tcp`]?.[0]?.HostPort)
  const url = serverUrl({ host: HOST, port, user: USER, password })
  return { url, version: await untilAnswers(engine, name, url) }
}

/** Creates and starts a container, and removes it again if that fails. */
async function create(
  engine: ContainerEngine,
  image: string,
  name: string,
  { ryuk, labels }: { readonly ryuk: boolean; readonly labels: Readonly<Record<string, string>> },
): Promise<{ readonly url: string; readonly version: string }> {
  const password = randomBytes(24).toString('base64url')
  const urlAt = (port: number) => serverUrl({ host: HOST, port, user: USER, password })
  let version = ''
  const container = new LoopbackContainer(image)
    .withName(name)
    .withUsername(USER)
    .withPassword(password)
    .withDatabase('postgres')
    .withCommand([...COMMAND])
    // A folder of its own, as the images of different versions have theirs in different places.
    .withEnvironment({ PGDATA: `${DATA}/data`, POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C.UTF-8' })
    .withTmpFs({ [DATA]: 'rw' })
    // Docker's 64 MB are not enough for parallel queries.
    .withSharedMemorySize(256 * 1024 * 1024)
    .withLabels({ ...labels, [TEST_SERVER]: process.cwd() })
    .withAutoCleanup(ryuk)
    // Takes the place of one that would run four times a second as long as the container does.
    .withHealthCheck({ test: ['CMD', 'true'], interval: 3_600_000 })
    .withWaitStrategy({
      waitUntilReady: async (_container, ports) => {
        version = await untilAnswers(engine, name, urlAt(ports.getBinding(PORT)))
      },
      withStartupTimeout() {
        return this
      },
      isStartupTimeoutSet: () => true,
      getStartupTimeout: () => 60_000,
    })
  try {
    const started = await container.start()
    return { url: urlAt(started.getMappedPort(PORT)), version }
  } catch (error) {
    // Taken by another: that one stays.
    if (statusOf(error) === 409) throw error
    const failure = error instanceof ServerError ? error : await startFailed(engine, name, String(error), error)
    await removeContainer(engine, name)
    throw failure
  }
}

const PORT = 5432
const DATA = '/drover'
const COMMAND: readonly string[] = ['postgres', ...[...SETTINGS, ...NOT_DURABLE].flatMap((setting) => ['-c', setting])]

/** Published to this machine and nobody else; testcontainers by itself publishes on all addresses. */
class LoopbackContainer extends PostgreSqlContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    this.hostConfig.PortBindings = { [`${PORT}/tcp`]: [{ HostIp: HOST, HostPort: '0' }] }
  }
}
