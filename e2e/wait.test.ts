import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { describe, expect, test } from 'vitest'

import { startOwnServer } from './harness/own-server.ts'
import { openProxy } from './harness/proxy.ts'
import { hasStore } from './harness/query.ts'
import { createWorkspace } from './harness/workspace.ts'

const nowhere = 'postgres://nobody@127.0.0.1:9/nothing'

test('wait ends at once when all servers answer, and changes nothing', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addDatabase('other')

  const ended = await workspace.migrate('wait')

  expect(ended).toMatchObject({ exitCode: 0, stdout: 'main   ready\nother  ready\n', stderr: '' })
  expect(await hasStore(url)).toBe(false)
})

test('wait says what it waits for and why, and goes on when a server comes up later', async () => {
  await using server = await startOwnServer()
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  workspace.env['LATE_DATABASE_URL'] = server.url
  await workspace.write('databases/late/database.ts', `export default { name: 'late' }\n`)
  await server.crash()

  const running = workspace.start(['wait', '--tries', '10000', '--interval', '20ms'])
  await running.waitFor(
    `late: waiting: no server answers at ${new URL(server.url).host} (try 1 of 10000, again in 20 ms)`,
  )
  await server.start()
  const ended = await running.ended

  expect(ended.exitCode).toBe(0)
  expect(ended.stdout).toMatch(/^late {2}ready at try \d+\nmain {2}ready\n$/)
  expect(ended.stderr).not.toContain('main')
})

test('wait waits for a server behind a proxy that lets nobody through yet', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using proxy = await openProxy(url)
  proxy.cut()
  workspace.env['MAIN_DATABASE_URL'] = proxy.through(url)

  const running = workspace.start(['wait', '--tries', '10000', '--interval', '20ms'])
  await running.waitFor('main: waiting: the connection to 127.0.0.1:')
  proxy.heal()

  expect(await running.ended).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^main {2}ready at try \d+$/m),
  })
})

test('wait says it again when the reason changes, and not at every try', async () => {
  const startingUp = Buffer.from('SFATAL\0VFATAL\0C57P03\0Mnot yet\0RProcessStartupPacket\0\0')
  const answer = Buffer.concat([Buffer.from('E\0\0\0'), Buffer.from([startingUp.length + 4]), startingUp])
  let visits = 0
  await using server = await listen((socket) => {
    visits += 1
    if (visits > 4) socket.once('data', () => socket.end(answer))
    else socket.destroy()
  })
  await using workspace = await createWorkspace()
  await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
  workspace.env['FAR_DATABASE_URL'] = `postgres://nobody@127.0.0.1:${server.port}/nothing?sslmode=disable`

  const ended = await workspace.migrate('wait', '--tries', '8', '--interval', '1ms')

  const place = `127.0.0.1:${server.port}`
  expect(ended.stderr.split('\n').filter((line) => line.includes('waiting'))).toEqual([
    `far: waiting: the connection to ${place} was lost (try 1 of 8, again in 1 ms)`,
    `far: waiting: the server at ${place} is starting up or shutting down (try 5 of 8, again in 1 ms)`,
  ])
  expect(ended.exitCode).toBe(2)
})

describe('wait gives up', () => {
  test('after so many tries, exits 2, and names each database with the last that was heard of it', async () => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('here')
    for (const name of ['far', 'lost'])
      await workspace.write(`databases/${name}/database.ts`, `export default { name: '${name}' }\n`)
    workspace.env['FAR_DATABASE_URL'] = nowhere
    workspace.env['LOST_DATABASE_URL'] = 'postgres://nobody@nowhere.invalid/nothing'

    const ended = await workspace.migrate('wait', '--tries', '3', '--interval', '1ms')
    const json = (await workspace.migrate('wait', '--tries', '2', '--interval', '0', '--json', '--quiet')).json()

    expect(ended.exitCode).toBe(2)
    expect(ended.stdout).toBe('far   unreachable at try 3\nhere  ready\nlost  unreachable at try 3\n')
    expect(ended.stderr).toMatch(/^error: far: no server answers at 127\.0\.0\.1:9, at try 3 after /m)
    expect(ended.stderr).toMatch(/^error: lost: the host nowhere\.invalid cannot be found, at try 3 after /m)
    expect(ended.stderr).toContain('next: start the server, or correct host and port in FAR_DATABASE_URL')
    expect(json).toMatchObject({
      ok: false,
      exitCode: 2,
      databases: [
        { name: 'far', state: 'unreachable', tries: 2 },
        { name: 'here', state: 'ready', tries: 1 },
        { name: 'lost', state: 'unreachable', tries: 2 },
      ],
    })
    expect(json.problems.map(({ database }: any) => database)).toEqual(['far', 'lost'])
  })

  test('at once on a wrong password, which does not get better, and on all the others with it', async () => {
    await using workspace = await createWorkspace()
    const url = new URL(await workspace.addDatabase('main'))
    await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
    workspace.env['FAR_DATABASE_URL'] = nowhere
    url.password = 'Sesame-not'
    workspace.env['MAIN_DATABASE_URL'] = url.href

    const ended = await workspace.migrate('wait', '--interval', '1h')

    expect(ended.exitCode).toBe(2)
    expect(ended.stdout).toBe('far   unreachable\nmain  unreachable\n')
    expect(ended.stderr).toContain('error: far: no server answers at 127.0.0.1:9')
    expect(ended.stderr).toContain('error: main: the server at ')
    expect(ended.stderr).toContain('next: correct user and password in MAIN_DATABASE_URL')
    expect(ended.stderr).not.toContain('Sesame')
  })
})

test('wait is content with a server that does not have the database, and says so', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main', { create: false })

  const ended = await workspace.migrate('wait')
  const json = (await workspace.migrate('wait', '--json')).json()

  expect(ended).toMatchObject({ exitCode: 0, stdout: 'main  the server is ready, and does not have the database\n' })
  expect(json.databases).toEqual([{ name: 'main', state: 'database-missing', tries: 1, waitedMs: expect.any(Number) }])
})

test('DB_MAX_RETRIES and DB_RETRY_INTERVAL bound the waiting, also from the file .env', async () => {
  await using workspace = await createWorkspace()
  await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
  await workspace.write('.env', 'DB_RETRY_INTERVAL=0.001\nDB_MAX_RETRIES=many\n')
  workspace.env['FAR_DATABASE_URL'] = nowhere
  workspace.env['DB_MAX_RETRIES'] = '4'

  const ended = await workspace.migrate('wait')

  expect(ended.exitCode).toBe(2)
  expect(ended.stderr).toContain('(try 1 of 4, again in 1 ms)')
  expect(ended.stdout).toBe('far  unreachable at try 4\n')
})

test.each([
  ['DB_MAX_RETRIES', '0'],
  ['DB_MAX_RETRIES', 'many'],
  ['DB_RETRY_INTERVAL', '-2'],
  ['DB_RETRY_INTERVAL', 'soon'],
])('%s=%s is refused before anything is waited for', async (variable, value) => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  workspace.env[variable] = value

  const ended = await workspace.migrate('wait', '--json')

  expect(ended.exitCode).toBe(2)
  expect(ended.json()).toMatchObject({ databases: [], error: { code: 'CONFIG_INVALID' } })
  expect(ended.stderr).toContain(`error: ${variable} is not `)
  expect(ended.stderr).toContain(`next: set it like this: ${variable}=`)
})

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, exitCode) => {
  test('ends the pause between two tries', async () => {
    await using workspace = await createWorkspace()
    await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
    workspace.env['FAR_DATABASE_URL'] = nowhere
    const running = workspace.start(['wait', '--interval', '1h', '--json'])
    await running.waitFor('far: waiting')

    running.kill(signal)
    const ended = await running.ended

    expect(ended.exitCode).toBe(exitCode)
    expect(ended.json()).toMatchObject({ ok: false, exitCode, error: { code: 'INTERRUPTED' } })
  })

  test('ends a try that nobody answers', async () => {
    await using silent = await listen(() => {})
    await using workspace = await createWorkspace()
    await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
    workspace.env['FAR_DATABASE_URL'] = `postgres://nobody@127.0.0.1:${silent.port}/nothing`
    const running = workspace.start(['wait', '--log', 'json'])
    await silent.visited

    running.kill(signal)
    const ended = await running.ended

    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stderr).toContain('interrupted while waiting for servers')
  })
})

/** Something that listens where a server should. */
async function listen(greet: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    // The other end leaves when it likes.
    socket.on('error', () => undefined)
    sockets.push(socket)
    greet(socket)
  }).listen(0, '127.0.0.1')
  const visited = once(server, 'connection')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server that listens has an address')
  return {
    port: address.port,
    visited,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
