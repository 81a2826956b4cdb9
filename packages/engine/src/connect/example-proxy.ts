import { connect, createServer, type Socket } from 'node:net'

import { ConnectionUrl } from './connection-url.ts'

/** A network between us and a server that does what tests tell it. */
export interface ExampleProxy extends AsyncDisposable {
  /** The server, by way of the proxy. */
  readonly url: ConnectionUrl
  /** From now on, what the server says does not arrive. */
  swallowAnswers(): void
  /** The same, from when we have sent something with this text in it. */
  swallowAnswersAfter(text: string): void
  /** Cuts all connections; new ones are let through again. */
  cut(): void
}

/** Opens a proxy to the server of a URL. */
export async function exampleProxy(url: ConnectionUrl): Promise<ExampleProxy> {
  const sockets = new Set<Socket>()
  let swallowing = false
  let last: string | undefined
  const server = createServer((client) => {
    const upstream = connect(url.port, url.host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // The other end has gone; that is what the tests are about.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (data) => {
      if (last !== undefined && data.includes(last)) swallowing = true
      upstream.write(data)
    })
    upstream.on('data', (data) => swallowing || client.write(data))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server that listens has an address')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    swallowing = false
    last = undefined
  }
  const through = new URL(url.revealUrl())
  through.host = `127.0.0.1:${address.port}`
  return {
    url: ConnectionUrl.parse(through.href, 'the proxy'),
    swallowAnswers: () => {
      swallowing = true
    },
    swallowAnswersAfter: (text) => {
      last = text
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
