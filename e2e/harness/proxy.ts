import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Random } from './rounds.ts'

/** A network between us and a server, in which something happens at a certain byte. */
export interface Proxy extends AsyncDisposable {
  /** A URL of that server, by way of the proxy. */
  readonly through: (url: string) => string
  /** How much has passed in each direction, over all connections. */
  readonly passed: Readonly<Record<Way, Readonly<Traffic>>>
  /** Cuts all connections, and lets no new ones through until `heal`. */
  cut(): void
  /** Lets everything through again. */
  heal(): void
  /** From now on, whoever comes is led to another server: the one that has taken over the address. */
  leadTo(serverUrl: string): void
  /** What those send who come from now on arrives so much later. */
  delay(ms: number): void
}

type Way = 'to-server' | 'to-client'

/** Bytes, and the pieces in which they have come: about one for each message, and one for each answer. */
type Traffic = Record<'bytes' | 'pieces', number>

/** What happens to the connection over which the byte or piece comes, when all before it have passed. */
export type FaultKind =
  /** Both ends learn that it is gone. What is on its way is lost. */
  | { readonly kind: 'cut' }
  /** The same for all connections, and nobody comes through any more until `heal`: they are refused, or nobody answers them. */
  | { readonly kind: 'outage'; readonly silent: boolean }
  /** Nothing more passes in this direction, and whoever listens there learns that there will be nothing; the other direction stays. */
  | { readonly kind: 'half-close' }
  /** In this direction, everything arrives so much later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Something else happens, and the network stays as it is. */
  | { readonly kind: 'call'; readonly act: () => void }

/** Where something happens: when so much has passed in a direction. */
export interface Place {
  readonly way: Way
  readonly unit: keyof Traffic
  readonly after: number
}

export type Fault = FaultKind & Place

/** Any byte or any piece of what usually passes. Among bytes, long messages count more; among pieces, all messages are the same. */
export function anyPlace(usual: Proxy['passed'], random: Random): Place {
  const way = random.pick(['to-server', 'to-client'] as const)
  const unit = random.pick(['bytes', 'pieces'] as const)
  return { way, unit, after: random.between(0, usual[way][unit]) }
}

/** Opens a proxy to the server of a URL. */
export async function openProxy(serverUrl: string, fault?: Fault): Promise<Proxy> {
  let target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const passed = { 'to-server': { bytes: 0, pieces: 0 }, 'to-client': { bytes: 0, pieces: 0 } }
  let isDown = false
  let isSilent = false
  let isDue = fault !== undefined
  let delayMs = 0
  const cut = () => {
    isDown = true
    for (const socket of sockets) socket.destroy()
  }

  /** Passes on what comes from one end to the other. */
  const carry = (from: Socket, to: Socket, way: Way) => {
    let lateBy = way === 'to-server' ? delayMs : 0
    let isClosed = false
    let order = Promise.resolve()
    const inOrder = (act: () => void) => {
      const ms = lateBy
      // Whoever comes after somebody who is late waits behind him.
      order = order.then(() => (ms > 0 ? sleep(ms) : undefined)).then(act)
    }
    const write = (data: Buffer) => {
      if (isClosed || data.length === 0) return
      passed[way].bytes += data.length
      if (lateBy === 0) to.write(data)
      else inOrder(() => to.write(data))
    }
    const strike = (due: Fault) => {
      switch (due.kind) {
        case 'cut':
          from.destroy()
          to.destroy()
          return
        case 'outage':
          isSilent = due.silent
          cut()
          return
        case 'half-close':
          isClosed = true
          to.end()
          return
        case 'delay':
          lateBy = due.ms
          return
        case 'call':
          due.act()
      }
    }
    from.on('data', (data: Buffer) => {
      const before = fault && isDue && fault.way === way ? bytesBefore(fault, passed[way]) : Infinity
      passed[way].pieces += 1
      if (before > data.length) {
        write(data)
        return
      }
      isDue = false
      write(data.subarray(0, before))
      strike(fault!)
      if (!from.destroyed) write(data.subarray(before))
    })
    from.on('end', () => (lateBy === 0 ? to.end() : inOrder(() => to.end())))
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isDown) {
      if (!isSilent) client.destroy()
      sockets.add(client)
      client.on('error', () => undefined)
      client.on('close', () => sockets.delete(client))
      return
    }
    const upstream = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      // The other end has gone, which is what this is for.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroySoon()
      })
    }
    carry(client, upstream, 'to-server')
    carry(upstream, client, 'to-client')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server that listens has an address')
  return {
    passed,
    through: (url) => {
      const through = new URL(url)
      through.host = `127.0.0.1:${address.port}`
      return through.href
    },
    cut,
    heal: () => {
      isDown = false
    },
    leadTo: (url) => {
      target = new URL(url)
    },
    delay: (ms) => {
      delayMs = ms
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

/** How many bytes of a piece still pass before a fault; more than it has where it is not to be yet. */
function bytesBefore({ unit, after }: Fault, passed: Traffic): number {
  if (unit === 'bytes') return after - passed.bytes
  return passed.pieces < after ? Infinity : 0
}
