import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { repository } from './repository-databases.ts'

/** What a program in a container, or the one that runs containers, has said in the end. */
export interface Said {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The images that the tests of containers use. */
export interface Images {
  /** Of PostgreSQL, as the compose files take it. */
  readonly postgres: string
  /** What ours are built on. */
  readonly node: string
}

/** Finds the images, or why there can be no containers here. Makes what stands in for Node's image where it is not to be had. */
export function findImages(): Images | { readonly missing: string } {
  if (!succeeds('docker', ['info'])) return { missing: 'no Docker engine answers' }
  if (compose === undefined) return { missing: 'there is no docker compose' }
  const postgres = [process.env['DROVER_POSTGRES_IMAGE'] ?? '', officialPostgres].find(
    (image) => image !== '' && isThere(image),
  )
  if (postgres === undefined)
    return { missing: `the Docker engine has no image ${officialPostgres}; DROVER_POSTGRES_IMAGE names another` }
  if (isThere(officialNode)) return { postgres, node: officialNode }
  const standIn = `drover-stand-in/node:${process.versions.node}`
  if (!isThere(standIn)) {
    if (process.getuid?.() !== 0 || !succeeds('debootstrap', ['--version']))
      return { missing: `the Docker engine has no image ${officialNode}, and nothing can be made to stand in for it` }
    const made = spawnSync(join(import.meta.dirname, 'make-node-image.sh'), [standIn, process.execPath, findNpm()], {
      encoding: 'utf8',
    })
    if (made.status !== 0) return { missing: `what stands in for ${officialNode} cannot be made: ${made.stderr}` }
  }
  return { postgres, node: standIn }
}

const officialNode = /^ARG NODE_IMAGE=(.*)$/m.exec(readFileSync(join(repository, 'Dockerfile'), 'utf8'))![1]!
const officialPostgres = /\$\{POSTGRES_IMAGE:-(.*)\}/.exec(readFileSync(join(repository, 'compose.yaml'), 'utf8'))![1]!

const compose = [['docker', 'compose'] as const, ['docker-compose'] as const].find(([program, ...words]) =>
  succeeds(program, [...words, 'version']),
)

function succeeds(program: string, words: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0
}

function isThere(image: string): boolean {
  return succeeds('docker', ['image', 'inspect', image])
}

function findNpm(): string {
  const root = execFileSync('npm', ['root', '--global'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const npm = join(root.trim(), 'npm')
  if (!existsSync(npm)) throw new Error(`there is no npm in ${root.trim()}`)
  return realpathSync(npm)
}

/** Runs `docker` to its end. */
export async function docker(...words: readonly string[]): Promise<Said> {
  return run('docker', words)
}

/** The images that the Dockerfile makes, under names of their own. In the end they are removed. */
export interface Built extends AsyncDisposable {
  readonly migrate: string
  readonly app: string
}

/** Builds them. The stage before them has a name too, because a build leaves it behind. */
export async function buildImages(node: string): Promise<Built> {
  const version = randomBytes(5).toString('hex')
  const [install, migrate, app] = ['install', 'migrate', 'app'].map((target) => `drover-e2e/${target}:${version}`)
  for (const tag of [install!, migrate!, app!]) {
    const target = tag.split(/[/:]/)[1]!
    const built = await docker('build', ...buildWords(node), '--target', target, '--tag', tag, repository)
    if (built.exitCode !== 0) throw new Error(`docker build: ${built.stdout}${built.stderr}`)
  }
  return {
    migrate: migrate!,
    app: app!,
    [Symbol.asyncDispose]: async () => {
      await docker('rmi', '--force', app!, migrate!, install!)
    },
  }
}

/** What has to be said here besides what the published command says: its base, and the network that reaches the registry. */
export function buildWords(node: string): readonly string[] {
  return node === officialNode ? [] : ['--network', 'host', '--build-arg', `NODE_IMAGE=${node}`]
}

/** A project of docker compose. */
export interface Project extends AsyncDisposable {
  compose(...words: readonly string[]): Promise<Said>
  /** Words of `docker run` that put a container beside those of the services, as one of a service of its own. */
  joining(service: string): readonly string[]
  /** The ids of the containers of a service, those that have ended included. */
  containersOf(service: string): Promise<readonly string[]>
  /** Runs SQL in the container of a service that is a server, and gives its lines. */
  sql(database: string, text: string, service?: string): Promise<readonly string[]>
}

/** Names a project that has these compose files. In the end everything of it is removed. */
export function createProject(files: readonly string[], env: Readonly<Record<string, string>>): Project {
  const name = `drover-e2e-${randomBytes(5).toString('hex')}`
  const [program, ...first] = compose!
  const words = [
    ...first,
    '--project-name',
    name,
    ...files.flatMap((file) => ['--file', isAbsolute(file) ? file : join(repository, file)]),
  ]
  const inEnv = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', COMPOSE_ANSI: 'never', ...env }
  const own: Project['compose'] = (...more) => run(program, [...words, ...more], inEnv)
  const labels = (service: string) => [`com.docker.compose.project=${name}`, `com.docker.compose.service=${service}`]
  const containersOf: Project['containersOf'] = async (service) => {
    const filters = labels(service).map((label) => `label=${label}`)
    const found = await docker('ps', '--all', '--quiet', ...filters.flatMap((filter) => ['--filter', filter]))
    return found.stdout.split('\n').filter((line) => line !== '')
  }
  return {
    compose: own,
    joining: (service) => ['--network', `${name}_default`, ...labels(service).flatMap((label) => ['--label', label])],
    containersOf,
    sql: async (database, text, service = 'postgres') => {
      const [container] = await containersOf(service)
      const psql = [
        'psql',
        '--username',
        'postgres',
        '--no-psqlrc',
        '--tuples-only',
        '--no-align',
        '--dbname',
        database,
      ]
      const said = await docker('exec', container!, ...psql, '--command', text)
      if (said.exitCode !== 0) throw new Error(`psql: ${said.stderr}`)
      return said.stdout.split('\n').filter((line) => line !== '')
    },
    [Symbol.asyncDispose]: async () => {
      const all = await docker('ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${name}`)
      const ids = all.stdout.split('\n').filter((line) => line !== '')
      if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids)
      await own('down', '--volumes', '--remove-orphans', '--timeout', '1')
    },
  }
}

/** Waits until the health check of a container is content. Rejects with what it has written when it ends before that. */
export async function untilHealthy(id: string): Promise<void> {
  await untilState(id, async (state) => {
    if (state.Status !== 'exited') return state.Health?.Status === 'healthy'
    const { stdout, stderr } = await docker('logs', id)
    throw new Error(`it ended with ${state.ExitCode} before it was healthy: ${stdout}${stderr}`)
  })
}

/** Waits until a container has ended. @returns its exit code */
export async function untilExited(id: string): Promise<number> {
  const state = await untilState(id, ({ Status }) => Status === 'exited')
  return state.ExitCode
}

async function untilState(id: string, isWanted: (state: any) => boolean | Promise<boolean>): Promise<any> {
  for (;;) {
    const inspected = await docker('inspect', '--format', '{{json .State}}', id)
    if (inspected.exitCode !== 0) throw new Error(`docker inspect: ${inspected.stderr}`)
    const state = JSON.parse(inspected.stdout)
    if (await isWanted(state)) return state
    await sleep(500)
  }
}

/** Waits until a container has written a text. */
export async function untilLogged(id: string, text: string): Promise<void> {
  const child = spawn('docker', ['logs', '--follow', id], { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    await new Promise<void>((resolve, reject) => {
      let all = ''
      const look = (part: unknown) => {
        all += String(part)
        if (all.includes(text)) resolve()
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      child.on('close', () => reject(new Error(`it ended before writing "${text}": ${all}`)))
    })
  } finally {
    child.kill()
  }
}

async function run(program: string, words: readonly string[], env?: Record<string, string>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, words, { ...(env && { env }), maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error && child.exitCode === null) reject(new Error(`${program} did not come to its end`, { cause: error }))
      else resolve({ exitCode: child.exitCode ?? 128, stdout, stderr })
    })
  })
}
