import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { findEngine } from './find-engine.ts'

test('finds the engine that DOCKER_HOST names, at a socket or at an address', async () => {
  const socket = join(makeFolder(), 'docker.sock')
  await listen(socket)
  const port = await listen(0)

  expect(await findEngine({ DOCKER_HOST: `unix://${socket}` })).toEqual({ address: `unix://${socket}` })
  expect(await findEngine({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })).toEqual({ address: `tcp://127.0.0.1:${port}` })
})

test('takes the engine of .testcontainers.properties, unless DOCKER_HOST names one', async () => {
  const home = makeFolder()
  const socket = join(home, 'docker.sock')
  await listen(socket)
  vi.stubEnv('HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  writeFileSync(join(home, '.testcontainers.properties'), `ryuk.disabled=true\ndocker.host = unix://${socket}\n`)

  expect(await findEngine({})).toEqual({ address: `unix://${socket}` })
  expect(await findEngine({ DOCKER_HOST: 'unix:///no/such.sock' })).toHaveProperty('missing')
})

test('finds the socket of the system first, then that of a rootless engine', async () => {
  const folder = makeFolder()
  await listen(join(folder, 'docker.sock'))
  const system = join(makeFolder(), 'docker.sock')
  const env = { XDG_RUNTIME_DIR: folder }

  expect(await findEngine(env, system)).toEqual({ address: `unix://${folder}/docker.sock` })
  await listen(system)
  expect(await findEngine(env, system)).toEqual({ address: `unix://${system}` })
})

test.skipIf(existsSync(`/run/user/${userInfo().uid}/docker.sock`))(
  'says that there is none, where there is no socket',
  async () => {
    vi.stubEnv('HOME', makeFolder())
    onTestFinished(() => void vi.unstubAllEnvs())

    expect(await findEngine({}, '/no/such.sock')).toEqual({
      missing: expect.stringContaining('DOCKER_HOST is not set'),
    })
  },
)

test('says why an engine does not answer', async () => {
  const folder = makeFolder()
  const failing = await listen(0, 500)
  const closed = createSocketServer().listen(join(folder, 'closed.sock'))
  await once(closed, 'listening')
  closed.close()
  writeFileSync(join(folder, 'stale.sock'), '')

  expect(await search(`unix://${folder}/none.sock`)).toBe(`unix://${folder}/none.sock does not answer (ENOENT)`)
  expect(await search(`unix://${folder}/stale.sock`)).toBe(`unix://${folder}/stale.sock does not answer (ECONNREFUSED)`)
  expect(await search(`tcp://127.0.0.1:${failing}`)).toBe(`tcp://127.0.0.1:${failing} does not answer (status 500)`)
  expect(await search('somewhere')).toBe('somewhere does not answer (not an address)')
})

async function search(address: string): Promise<string | undefined> {
  const found = await findEngine({ DOCKER_HOST: address })
  return 'missing' in found ? found.missing : undefined
}

/** Answers as an engine does that is asked whether it is there; returns the port. */
async function listen(at: string | number, status = 200): Promise<number> {
  const server = createServer((asked, answer) => {
    answer.statusCode = asked.url === '/_ping' ? status : 404
    answer.end('OK')
  })
  if (typeof at === 'string') server.listen(at)
  else server.listen(at, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo | null)?.port ?? 0
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-engine-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
