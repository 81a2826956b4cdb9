import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'

import {
  type Built,
  buildImages,
  buildWords,
  createProject,
  docker,
  findImages,
  type Project,
  untilExited,
  untilHealthy,
  untilLogged,
} from './harness/containers.ts'
import { gateSql } from './harness/gate.ts'
import { queryColumn } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createCheckout } from './harness/workflow.ts'
import { createWorkspace, startMigrate } from './harness/workspace.ts'

const found = findImages()
const images = 'missing' in found ? { node: '', postgres: '' } : found
const databases = ['credentials', 'main', 'gdpr'] as const

let built: Built | undefined
let env: Record<string, string>

// Ten replicas on two cores take their time.
vi.setConfig({ testTimeout: 600_000 })

beforeAll(async () => {
  if ('missing' in found) return void process.stderr.write(`tests of containers are skipped: ${found.missing}\n`)
  built = await buildImages(images.node)
  env = {
    POSTGRES_IMAGE: images.postgres,
    NODE_IMAGE: images.node,
    MIGRATE_IMAGE: built.migrate,
    APP_IMAGE: built.app,
  }
}, 600_000)

afterAll(async () => {
  await built?.[Symbol.asyncDispose]()
})

beforeEach(({ skip }) => {
  if ('missing' in found) skip(found.missing)
})

test('the image runs as nobody in particular, cannot change what it runs, and adds little to the image of Node', async () => {
  const hardened = ['run', '--rm', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges']

  expect(await docker(...hardened, env['MIGRATE_IMAGE']!, 'heads', '--quiet')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^main +[0-9a-f]{12} /m),
  })
  const shell = ['--entrypoint', 'sh', env['MIGRATE_IMAGE']!, '-c']
  expect((await docker('run', '--rm', ...shell, 'id --user')).stdout).toBe('1000\n')
  expect(await docker('run', '--rm', ...shell, 'touch scripts/migrate.ts databases/x')).toMatchObject({ exitCode: 1 })
  // Neither secrets and leftovers of the machine nor tests.
  const strange = await docker(
    'run',
    '--rm',
    ...shell,
    `find . -name '.env*' -o -name .git -o -name .drover -o -path './packages/*.test.ts'`,
  )
  expect(strange).toMatchObject({ exitCode: 0, stdout: '' })
  const [own, base] = await Promise.all([env['MIGRATE_IMAGE']!, images.node].map(sizeOf))
  expect(own! - base!).toBeLessThan(60_000_000)
})

test('without a URL, the image says so and starts no server of its own', async () => {
  const ended = await docker('run', '--rm', env['MIGRATE_IMAGE']!)

  expect(ended).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('next: set CREDENTIALS_DATABASE_URL') })
})

test('what the workflow ci.yml does with the image works', async () => {
  const { steps } = parse(await readFile(join(repository, '.github/workflows/ci.yml'), 'utf8')).jobs.image
  const [build, run] = steps.flatMap((step: any) => (step.run === undefined ? [] : [step.run.split(' ')]))
  expect(build.slice(0, 2)).toEqual(['docker', 'build'])
  onTestFinished(async () => void (await docker('rmi', '--force', 'drover')))

  const imageBuilt = await docker('build', ...buildWords(images.node), ...build.slice(2, -1), repository)
  const ran = await docker(...run.slice(1))

  expect([imageBuilt.exitCode, ran.exitCode]).toEqual([0, 0])
  expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('with ten replicas every revision is applied once, the application has its own role, and SIGTERM reaches it', async () => {
  await using project = createProject(['compose.yaml'], env)

  const up = await project.compose('up', '--detach', '--no-build', '--scale', 'app=10')

  expect(up).toMatchObject({ exitCode: 0 })
  const apps = await project.containersOf('app')
  expect(apps).toHaveLength(10)
  await Promise.all(apps.map(untilHealthy))
  await expectEachOnce(project, 1)
  const [migrate] = await project.containersOf('migrate')
  expect(await untilExited(migrate!)).toBe(0)
  const variables = (await docker('exec', apps[0]!, 'env')).stdout
  expect(variables).toContain('main_app')
  expect(variables).not.toMatch(/_owner|ADMIN/)

  expect(await docker('kill', '--signal', 'TERM', apps[0]!)).toMatchObject({ exitCode: 0 })
  expect(await untilExited(apps[0]!)).toBe(0)
  expect((await docker('logs', apps[0]!)).stdout).toContain('SIGTERM: closing')

  expect(await project.compose('run', '--rm', 'migrate')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing to do'),
  })
  await expectEachOnce(project, 1)
})

test('when a migration fails, the application is not started, the exit code says so and nothing is half applied', async () => {
  const folder = await temporaryFolder()
  await addRevisions(folder, [{ id: broken, up: 'create table half ();\ninsert into no_such_table values (1);\n' }])
  await writeFile(
    join(folder, 'compose.broken.yaml'),
    `services:\n  migrate:\n    volumes:\n      - ${join(folder, 'migrations')}:/drover/databases/main/migrations:ro\n`,
  )
  await using project = createProject(['compose.yaml', join(folder, 'compose.broken.yaml')], env)

  const up = await project.compose('up', '--detach', '--no-build', '--scale', 'app=2')

  expect(up.exitCode).not.toBe(0)
  const [migrate] = await project.containersOf('migrate')
  expect(await untilExited(migrate!)).toBe(1)
  const { stderr } = await docker('logs', migrate!)
  expect(stderr).toContain('no_such_table')
  for (const app of await project.containersOf('app'))
    expect((await docker('inspect', '--format', '{{.State.Status}}', app)).stdout).toBe('created\n')
  // The revisions before it stay, and of its own first statement there is nothing.
  expect(await project.sql('main', `select count(*) from drover.applied where revision = '${broken}'`)).toEqual(['0'])
  expect(await project.sql('main', `select to_regclass('half') is null, count(*) > 0 from drover.applied`)).toEqual([
    't|t',
  ])
})

test('ten containers that start together upgrade once, and each becomes its application, as process 1', async () => {
  await using project = createProject(['compose.yaml'], env)
  await startPostgres(project, databases)
  const words = [
    ...project.joining('starter'),
    ...variablesOf(urls('postgres', 'postgres', 'postgres')),
    env['APP_IMAGE']!,
  ]
  const command = ['node', 'scripts/migrate.ts', 'start', '--database', databases.join(',')]
  const application = ['--', 'node', 'examples/app/server.ts']

  const started = await Promise.all(
    Array.from({ length: 10 }, () => docker('run', '--detach', ...words, ...command, ...application)),
  )
  const ids = started.map(({ stdout }) => stdout.trim())
  await Promise.all(ids.map(untilHealthy))

  await expectEachOnce(project)
  for (const id of ids) expect((await docker('logs', id)).stdout).toBe('listening, process 1\n')
  await docker('stop', '--time', '20', ids[0]!)
  expect(await untilExited(ids[0]!)).toBe(0)
})

test('a container that is stopped in the middle of an upgrade ends it cleanly, and the next one goes on', async () => {
  await using project = createProject(['compose.yaml'], env)
  await startPostgres(project, ['main'])
  const folder = await temporaryFolder()
  await addRevisions(folder, [
    { id: slow, up: `create table half ();\n${gateSql('gate')}` },
    { id: late, up: 'create table rest ();\n' },
  ])
  const words = [
    ...project.joining('stopped'),
    ...mounted(folder),
    ...variablesOf({ DATABASE_URL: urls('postgres', 'postgres', 'postgres')['DATABASE_URL']! }),
    env['MIGRATE_IMAGE']!,
    'upgrade',
    '--database',
    'main',
    '--verbose',
  ]
  const [postgres] = await project.containersOf('postgres')
  const holder = `select pg_advisory_lock(hashtext('gate')); select pg_sleep(600)`
  await docker('exec', '--detach', postgres!, 'psql', '--username=postgres', '--dbname=main', '--command', holder)
  const isHeld = `select count(*) from pg_locks where locktype = 'advisory' and granted`
  while ((await project.sql('main', isHeld))[0] !== '1');
  const id = (await docker('run', '--detach', ...words)).stdout.trim()
  await untilLogged(id, 'waiting at gate')

  await docker('kill', '--signal', 'TERM', id)
  await untilLogged(id, 'SIGTERM')
  const openGate = `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objid = (hashtext('gate')::bigint & 4294967295)::oid`
  await project.sql('main', openGate)

  expect(await untilExited(id)).toBe(143)
  const isApplied = `select revision from drover.applied where revision in ('${slow}', '${late}') order by applied_at`
  expect(await project.sql('main', isApplied)).toEqual([slow])
  expect(await project.sql('main', `select to_regclass('half') is null, to_regclass('rest') is null`)).toEqual(['f|t'])
  expect(await docker('run', '--rm', ...words)).toMatchObject({ exitCode: 0 })
  expect(await project.sql('main', isApplied)).toEqual([slow, late])
})

test('the test server comes up on port 9432 with the tables and the databases of others in it', async () => {
  await using checkout = await createCheckout()
  for (const name of ['openfga', 'keycloak']) await addExternal(checkout.root, name)
  const initdb = join(checkout.root, '.drover', 'initdb')
  const written = await startMigrate(['snapshot', '--initdb', initdb], {
    cwd: checkout.root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
  }).ended
  expect(written).toMatchObject({ exitCode: 0 })
  await using project = createProject(['compose.test.yaml'], { ...env, INITDB: initdb })

  expect(await project.compose('up', '--detach')).toMatchObject({ exitCode: 0 })
  const [server] = await project.containersOf('postgres-test')
  await untilHealthy(server!)

  const listed = await docker('exec', server!, 'psql', '-U', 'postgres', '-d', 'test', '-c', String.raw`\dt`)
  for (const table of ['user_profiles', 'user_preferences', 'consent_records', 'conversations', 'audit_logs'])
    expect(listed.stdout).toMatch(new RegExp(`^ public \\| ${table} +\\| table \\|`, 'm'))
  const url = 'postgres://postgres:postgres@127.0.0.1:9432/test'
  expect(
    await queryColumn(url, `select datname from pg_database where datname in ('openfga', 'keycloak') order by 1`),
  ).toEqual(['keycloak', 'openfga'])
  // In memory, and for this machine alone.
  const { HostConfig } = JSON.parse((await docker('inspect', server!)).stdout)[0]
  expect(HostConfig.PortBindings).toEqual({ '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '9432' }] })
  expect(await queryColumn(url, 'show data_directory')).toEqual(['/var/lib/postgresql/test'])
  expect(Object.keys(HostConfig.Tmpfs)).toEqual(['/var/lib/postgresql'])

  const current = startMigrate(['upgrade', '--database', 'test'], {
    cwd: checkout.root,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TEST_DATABASE_URL: url },
  })
  expect(await current.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing to do') })
})

test('without init scripts the test server does not come up, rather than come up empty', async () => {
  await using workspace = await createWorkspace()
  await using project = createProject(['compose.test.yaml'], { ...env, INITDB: join(workspace.root, 'nowhere') })

  const up = await project.compose('up', '--detach')

  expect(up.exitCode).not.toBe(0)
  expect(`${up.stdout}${up.stderr}`).toContain('nowhere')
})

test.each(['migrate-job.yaml', 'deployment.yaml'])(
  'the pod of kubernetes/%s upgrades with what it is given, and then has nothing to do',
  async (file) => {
    const { template } = parse(await readFile(join(repository, 'deploy/kubernetes', file), 'utf8')).spec
    await using project = createProject(['compose.yaml'], env)
    await startPostgres(project, databases)
    const secrets = await temporaryFolder()
    const given = urls('postgres', 'postgres', 'postgres')
    for (const [name, variable] of [
      ['credentials', 'CREDENTIALS_DATABASE_URL'],
      ['main', 'DATABASE_URL'],
      ['gdpr', 'GDPR_DATABASE_URL'],
    ] as const)
      await writeFile(join(secrets, name), given[variable]!)
    const pod = template.spec
    const container = (pod.initContainers ?? pod.containers)[0]
    const words = podWords(pod, container, { '/run/secrets/databases': secrets })
    const once = () =>
      docker('run', '--rm', ...project.joining('pod'), ...words, env['MIGRATE_IMAGE']!, ...container.args)

    const first = await once()
    expect(first.exitCode).toBe(0)
    for (const line of first.stderr.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ command: 'upgrade' })
    expect(await once()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing to do') })
    await expectEachOnce(project)

    const app = pod.initContainers && pod.containers[0]
    if (app === undefined) return
    const appWords = podWords(pod, { ...app, env: [{ name: 'DATABASE_URL', value: given['DATABASE_URL'] }] }, {})
    const running = await docker('run', '--detach', '--rm', ...project.joining('app'), ...appWords, env['APP_IMAGE']!)
    const id = running.stdout.trim()
    await untilLogged(id, 'listening')
    const { path, port } = app.readinessProbe.httpGet
    const asked = `fetch('http://127.0.0.1:${port}${path}').then((answer) => console.log(answer.status))`
    expect((await docker('exec', id, 'node', '--eval', asked)).stdout).toBe('200\n')
  },
)

const [broken, slow, late] = ['deadbeef0001', 'deadbeef0002', 'deadbeef0003']

/** Copies the history of the main database into `<folder>/migrations`, and adds revisions to it behind its head. */
async function addRevisions(
  folder: string,
  revisions: readonly { readonly id: string; readonly up: string }[],
): Promise<void> {
  const migrations = join(folder, 'migrations')
  await cp(join(repository, 'databases/main/migrations'), migrations, { recursive: true })
  const heads = await startMigrate(['heads', '--json', '-d', 'main'], { cwd: repository, env: {} }).ended
  let parent = heads.json().databases[0].revisions.find((revision: any) => revision.isHead).id
  for (const [at, { id, up }] of revisions.entries()) {
    const own = join(migrations, `2099123123595${at}_${id}`)
    await mkdir(own)
    const revision = { id, parents: [parent], message: `revision ${id}`, created: `2099-12-31T23:59:5${at}Z` }
    await writeFile(join(own, 'revision.json'), JSON.stringify(revision))
    await writeFile(join(own, 'migration.sql'), up)
    await writeFile(join(own, 'down.sql'), 'select 1;\n')
    parent = id
  }
}

/** Words of `docker run` that put this history in the place of the image's. */
function mounted(folder: string): readonly string[] {
  return ['--volume', `${join(folder, 'migrations')}:/drover/databases/main/migrations:ro`]
}

async function startPostgres(project: Project, wanted: readonly string[]): Promise<void> {
  expect(await project.compose('up', '--detach', 'postgres')).toMatchObject({ exitCode: 0 })
  const [postgres] = await project.containersOf('postgres')
  await untilHealthy(postgres!)
  for (const name of wanted) await project.sql('postgres', `create database ${name}`)
}

async function addExternal(root: string, name: string): Promise<void> {
  await mkdir(join(root, 'databases', name))
  await writeFile(
    join(root, 'databases', name, 'database.ts'),
    `export default { kind: 'external', name: '${name}', managedBy: '${name}' }\n`,
  )
}

/** That every revision of the image is applied, by one run, in every database. */
async function expectEachOnce(project: Project, runs?: number): Promise<void> {
  const history = await docker('run', '--rm', env['MIGRATE_IMAGE']!, 'history', '--json')
  expect(history).toMatchObject({ exitCode: 0 })
  for (const name of databases) {
    const { revisions } = JSON.parse(history.stdout).databases.find((database: any) => database.name === name)
    const applied = await project.sql(name, 'select revision from drover.applied order by revision')
    expect(applied).toEqual(revisions.map(({ id }: any) => id).toSorted())
    expect(await project.sql(name, 'select count(distinct run) from drover.applied')).toEqual(['1'])
    if (runs !== undefined) expect(await project.sql(name, 'select count(*) from drover.run')).toEqual([String(runs)])
  }
}

function urls(user: string, password: string, host: string): Record<string, string> {
  const url = (name: string) => `postgres://${user}:${password}@${host}:5432/${name}`
  return { CREDENTIALS_DATABASE_URL: url('credentials'), DATABASE_URL: url('main'), GDPR_DATABASE_URL: url('gdpr') }
}

function variablesOf(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--env', `${name}=${value}`])
}

/** What of a pod's container says how it runs, as words of `docker run`; `folders` are what its volumes hold, by their place. */
function podWords(pod: any, container: any, folders: Readonly<Record<string, string>>): readonly string[] {
  const { securityContext: own } = container
  expect(own).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
  return [
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    '--user',
    `${pod.securityContext.runAsUser}:${pod.securityContext.fsGroup}`,
    ...container.env.flatMap(({ name, value }: any) => ['--env', `${name}=${value}`]),
    ...container.volumeMounts.flatMap(({ mountPath, readOnly }: any) =>
      readOnly ? ['--volume', `${folders[mountPath]}:${mountPath}:ro`] : ['--tmpfs', mountPath],
    ),
  ]
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-containers-'))
  // Others than its owner read what is mounted from it.
  await chmod(folder, 0o755)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function sizeOf(image: string): Promise<number> {
  return Number((await docker('image', 'inspect', '--format', '{{.Size}}', image)).stdout)
}
