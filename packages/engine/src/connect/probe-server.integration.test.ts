import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { describe, expect, inject, it } from 'vitest'

import { ConnectionUrl } from './connection-url.ts'
import { createExampleAuthority } from './example-certificates.ts'
import { exampleDatabase } from './example-database.ts'
import { startTlsServer } from './example-tls.ts'
import { probeServer } from './probe-server.ts'

const urlOf = (text: string) => ConnectionUrl.parse(text, 'the test')

describe('probeServer', () => {
  it('finds a server ready that answers', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))

    expect(await probeServer(database.url)).toEqual({ kind: 'ready' })
  })

  it('tells a missing database from a missing server', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))

    expect(await probeServer(database.url.withDatabase('nowhere'))).toEqual({ kind: 'database-missing' })
  })

  it.each([
    ['a port that nobody listens at', 'postgres://nobody@127.0.0.1:9/x', 'UNREACHABLE', true],
    ['a host that nobody knows', 'postgres://nobody@nowhere.invalid/x', 'UNREACHABLE', true],
    [
      'a file for TLS that is not there',
      'postgres://nobody@127.0.0.1:9/x?sslmode=verify-full&sslrootcert=/nowhere',
      'URL_INVALID',
      false,
    ],
  ])('says whether %s may pass', async (_what, url, code, mayPass) => {
    const probe = await probeServer(urlOf(url))

    expect(probe).toMatchObject({ kind: 'failed', error: { code }, mayPass })
  })

  it('has no hope for a login that is refused', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const url = database.url.withLogin('nobody_of_that_name', 'wrong')

    expect(await probeServer(url)).toMatchObject({
      kind: 'failed',
      error: { code: 'AUTHENTICATION_FAILED' },
      mayPass: false,
    })
  })

  it('has no hope for a server without the TLS that is asked for', async () => {
    await using server = await listen((socket) =>
      socket.once('data', () => {
        socket.write('N')
        socket.once('data', () => socket.end())
      }),
    )

    expect(await probeServer(urlOf(`postgres://nobody@127.0.0.1:${server.port}/x?sslmode=require`))).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('does not offer the TLS') },
      mayPass: false,
    })
  })

  it('goes through TLS, and has no hope for a certificate that is not to be trusted', async () => {
    await using authority = await createExampleAuthority()
    await using server = await startTlsServer(authority)
    const through = (parameters: string) => urlOf(`${server.url.revealUrl().split('?')[0]}?${parameters}`)

    expect(await probeServer(through(`sslmode=verify-full&sslrootcert=${authority.cert}`))).toEqual({ kind: 'ready' })
    expect(await probeServer(through('sslmode=verify-full'))).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('is not to be trusted') },
      mayPass: false,
    })
  })

  it.each([
    ['starting up', '57P03'],
    ['full', '53300'],
  ])('has hope for a server that is %s', async (_how, sqlstate) => {
    await using server = await listen((socket) => socket.once('data', () => socket.end(fatal(sqlstate))))

    expect(await probeServer(server.url)).toMatchObject({
      kind: 'failed',
      error: { code: 'UNREACHABLE', problems: [{ sqlstate }] },
      mayPass: true,
    })
  })

  it('has hope for a proxy that lets nobody through yet', async () => {
    await using server = await listen((socket) => socket.destroy())

    expect(await probeServer(server.url)).toMatchObject({
      kind: 'failed',
      error: { code: 'CONNECTION_LOST' },
      mayPass: true,
    })
  })

  it('bounds the time for a server that accepts connections and says nothing', async () => {
    await using server = await listen(() => {})

    expect(await probeServer(server.url, 50)).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('did not answer in time') },
      mayPass: true,
    })
  })

  it('bounds the time for a pooler that lets us in while its server is away', async () => {
    const letIn = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))])
    await using server = await listen((socket) => socket.once('data', () => socket.write(letIn)))

    expect(await probeServer(server.url, 50)).toMatchObject({
      kind: 'failed',
      error: { code: 'UNREACHABLE' },
      mayPass: true,
    })
  })
})

/** Something that listens where a server should, for one test. */
async function listen(greet: (socket: Socket) => unknown) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // The other end leaves when it likes.
    socket.on('error', () => undefined)
    greet(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server that listens has an address')
  return {
    port: address.port,
    url: urlOf(`postgres://nobody@127.0.0.1:${address.port}/x?sslmode=disable`),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What a server says that lets nobody in. */
function fatal(sqlstate: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: sqlstate, M: 'not now', R: 'ProcessStartupPacket' }
  const text = Object.entries(fields).map(([type, value]) => `${type}${value}\0`)
  return message('E', Buffer.from(`${text.join('')}\0`))
}

/** A message of PostgreSQL's protocol. */
function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, body])
}
