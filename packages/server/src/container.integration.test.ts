import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import postgres from 'postgres'
import { getContainerRuntimeClient } from 'testcontainers'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { containersOf, findTestImage, inspectContainer } from './container-bench.ts'
import { DOOR } from './embedded-bench.ts'
import { pickServer } from './pick.ts'

const found = await findTestImage(process.env)
const image = 'image' in found ? found.image : ''
const environment = { DROVER_TEST_SERVER: 'container', DROVER_POSTGRES_IMAGE: image }
/** An image name whose registry nobody answers at. */
const nowhere = '127.0.0.1:1'

beforeEach(({ skip }) => {
  if ('missing' in found) skip(found.missing)
})

test('starts PostgreSQL in a container that this machine alone reaches, and leaves nothing of it', async () => {
  const picked = await pickServer(environment)
  const [name = ''] = await containersOf(process.pid)
  const container = await inspectContainer(name)

  expect(picked).toMatchObject({
    kind: 'container',
    url: expect.stringMatching(/^postgres:\/\/postgres:[^@]+@127\.0\.0\.1:/),
  })
  const [row] = await query(picked.url, `select split_part(current_setting('server_version'), ' ', 1) as version`)
  expect(picked.description).toBe(`PostgreSQL ${String(row?.['version'])} in a container of ${image}`)
  expect(picked.description).not.toContain(new URL(picked.url).password)
  expect(container?.NetworkSettings.Ports['5432/tcp']).toEqual([
    { HostIp: '127.0.0.1', HostPort: new URL(picked.url).port },
  ])
  expect(await query(picked.url, 'show data_directory')).toEqual([{ data_directory: '/drover/data' }])
  expect(container?.HostConfig.Tmpfs).toHaveProperty('/drover')

  await picked[Symbol.asyncDispose]()

  expect(await inspectContainer(name)).toBeUndefined()
  const volumes = container?.Mounts.filter(({ Type }) => Type === 'volume').map(({ Name }) => Name) ?? []
  for (const volume of volumes) expect(await volumeNames()).not.toContain(volume)
})

test('gives tests the settings that the embedded server gives them', async () => {
  await using container = await pickServer(environment)
  await using embedded = await pickServer({ DROVER_TEST_SERVER: 'embedded' })
  const settings = `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit',
    'max_connections', 'max_locks_per_transaction', 'max_prepared_transactions', 'TimeZone', 'log_timezone',
    'server_encoding', 'password_encryption') order by name`
  // What PostgreSQL orders and folds by code point, on every machine.
  const order = `select array_agg(word order by word) as words, lower('Ä') as lower
    from unnest(array['b', 'B', 'ä', 'a', 'Z', '_', '1']) as word`

  expect(await query(container.url, settings)).toEqual(await query(embedded.url, settings))
  expect(await query(container.url, order)).toEqual(await query(embedded.url, order))
  expect(await query(container.url, `select current_setting('fsync') as fsync`)).toEqual([{ fsync: 'off' }])
})

test('clears away the container of a killed run, and leaves that of a living one', async () => {
  await using living = await pickServer(environment)
  const killed = await runInChild({ TESTCONTAINERS_RYUK_DISABLED: 'true', ...environment }, 'SIGKILL')
  const [left = ''] = await containersOf(killed.pid)
  expect(await inspectContainer(left)).toMatchObject({ State: { Running: true } })

  await using _next = await pickServer(environment)

  expect(await inspectContainer(left)).toBeUndefined()
  expect(await query(living.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('keeps the container for later runs when asked, one for all that start at once', async () => {
  const own = await tagImage()
  const kept = { ...environment, DROVER_POSTGRES_IMAGE: own, TESTCONTAINERS_REUSE_ENABLE: 'true' }
  onTestFinished(() => removeContainersOf(own))

  const together = await Promise.all([1, 2, 3].map(() => runInChild(kept)))

  const urls = new Set(together.map(({ url }) => url))
  expect(urls.size).toBe(1)
  const [url = ''] = urls
  await query(url, 'create table note as select 7 as id')
  const later = await pickServer(kept)
  await later[Symbol.asyncDispose]()
  expect(later.url).toBe(url)
  expect(await query(url, 'select id from note')).toEqual([{ id: 7 }])

  const [name = ''] = await containersFrom(own)
  await (await engine()).getContainer(name).stop({ t: 0 })
  const anew = await pickServer(kept)
  expect(await query(anew.url, `select to_regclass('note') as note`)).toEqual([{ note: null }])
  expect(await containersFrom(own)).toHaveLength(1)
})

test('refuses an image that was named and cannot be had, and says which', async () => {
  const named = `${nowhere}/no/such:1`

  await expect(pickServer({ DROVER_POSTGRES_IMAGE: named }, { onProgress: () => {} })).rejects.toMatchObject({
    code: 'IMAGE_UNAVAILABLE',
    message: expect.stringContaining(named),
    hint: expect.stringContaining('DROVER_POSTGRES_IMAGE'),
  })
})

test('without a named image, one that cannot be had leads to the embedded server, and is told on stderr', async () => {
  const { kind, stderr } = await runInChild({ TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX: nowhere })

  expect(kind).toBe('embedded')
  expect(stderr).toContain(`Pulling the image ${nowhere}/postgres:18.4 for tests.`)
  expect(stderr).toMatch(/^The image postgres:18\.4 cannot be had: .*\. Tests use the embedded server;/m)
})

test('does not use an engine of another machine, and says so', async () => {
  const elsewhere = { TESTCONTAINERS_HOST_OVERRIDE: '192.0.2.7' }

  const { kind, stderr } = await runInChild(elsewhere)

  expect(kind).toBe('embedded')
  expect(stderr).toContain('The Docker engine is at 192.0.2.7')
  expect(await runInChild({ ...elsewhere, ...environment })).toMatchObject({ code: 'ENGINE_UNUSABLE' })
})

test('uses an engine whose host is an address of this machine', async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((own) => own ?? [])
  const own = addresses.find(({ internal }) => !internal)

  const answer = await runInChild({ ...environment, TESTCONTAINERS_HOST_OVERRIDE: own!.address })

  expect(answer).toMatchObject({ kind: 'container', url: expect.stringContaining('@127.0.0.1:') })
})

test('quotes the log of a container that ends before it answers, and removes it', async () => {
  const broken = await imageThat('echo "the disk is on fire" >&2; exit 3')

  await expect(pickServer({ DROVER_POSTGRES_IMAGE: broken })).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringContaining('the disk is on fire'),
  })
  expect(await containersFrom(broken)).toEqual([])
})

/** Picks a server in a process with this environment, and stops it there (or is killed before that). */
async function runInChild(env: Readonly<Record<string, string>>, end?: 'SIGKILL'): Promise<any> {
  const program = `
    const { pickServer } = await import(process.argv[1])
    const outcome = await pickServer(process.env).catch(({ code, message }) => ({ code, message }))
    const { kind, url, code } = outcome
    process.stdout.write(JSON.stringify({ kind, url, code }))
    if (process.argv[2] === 'SIGKILL') process.kill(process.pid, 'SIGKILL')
    await outcome[Symbol.asyncDispose]?.()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, DOOR.href, end ?? ''], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DOCKER_HOST: process.env['DOCKER_HOST'], ...env },
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { pid: child.pid, stderr, ...JSON.parse(stdout) }
}

async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.end()
  }
}

async function engine() {
  return (await getContainerRuntimeClient()).container.dockerode
}

/** The tests' image under a name of its own, so that the containers of nobody else are meant. */
async function tagImage(): Promise<string> {
  const repo = `drover-test-${crypto.randomUUID().slice(0, 8)}`
  await (await engine()).getImage(image).tag({ repo, tag: '1' })
  onTestFinished(async () => void (await (await engine()).getImage(`${repo}:1`).remove()))
  return `${repo}:1`
}

/** An image that does this, in the shell, in place of starting PostgreSQL. */
async function imageThat(does: string): Promise<string> {
  const repo = `drover-test-${crypto.randomUUID().slice(0, 8)}`
  const docker = await engine()
  const template = await docker.createContainer({ Image: image })
  await template.commit({ repo, tag: '1', changes: `ENTRYPOINT ${JSON.stringify(['/bin/sh', '-c', does])}` })
  await template.remove({ v: true })
  onTestFinished(async () => void (await docker.getImage(`${repo}:1`).remove({ force: true })))
  return `${repo}:1`
}

async function containersFrom(ancestor: string): Promise<readonly string[]> {
  const all = await (await engine()).listContainers({ all: true })
  return all.filter(({ Image }) => Image === ancestor).map(({ Id }) => Id)
}

async function removeContainersOf(ancestor: string): Promise<void> {
  for (const id of await containersFrom(ancestor))
    await (await engine()).getContainer(id).remove({ force: true, v: true })
}

async function volumeNames(): Promise<readonly string[]> {
  return (await (await engine()).listVolumes()).Volumes.map(({ Name }) => Name)
}
