import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { DroverError } from '@drover/history'

import { mayPass, translateConnectionError } from '../diagnose/connection-error.ts'
import { connectDriver } from './connection.ts'
import type { ConnectionUrl } from './connection-url.ts'

/** Whether a server answers. `database-missing`: it does, and does not have the database. */
export type Probe =
  | { readonly kind: 'ready' | 'database-missing' }
  | {
      readonly kind: 'failed'
      readonly error: unknown
      /** Whether it may be otherwise a little later, without anybody correcting anything. */
      readonly mayPass: boolean
    }

/**
 * Connects once, and asks for an answer: behind a pooler a connection alone says nothing of the server. Never throws for how
 * that goes.
 * @param timeoutMs how long it may take in all. Default 10 seconds
 */
export async function probeServer(url: ConnectionUrl, timeoutMs = 10_000): Promise<Probe> {
  let sql: ReturnType<typeof connectDriver> | undefined
  let socket: Socket | undefined
  const openSocket = async () => {
    // The driver would come back at once, without end and without saying so, to a proxy that lets nobody through.
    if (socket) throw Object.assign(new Error('hung up'), { code: 'CONNECTION_CLOSED' })
    socket = connect({ host: url.host, port: url.port })
    await once(socket, 'connect')
    // The driver asks it for the name to send with TLS.
    return Object.assign(socket, { host: url.host })
  }
  let timer: NodeJS.Timeout | undefined
  try {
    sql = connectDriver(url, {
      connectTimeout: timeoutMs / 1000,
      fetchTypes: false,
      traces: false,
      openSocket,
    })
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'CONNECT_TIMEOUT' })), timeoutMs)
    })
    await Promise.race([sql.unsafe('select').simple(), late])
    return { kind: 'ready' }
  } catch (error) {
    const translated = translateConnectionError(error, url) ?? error
    const isMissing = translated instanceof DroverError && translated.code === 'DATABASE_MISSING'
    return isMissing
      ? { kind: 'database-missing' }
      : { kind: 'failed', error: translated, mayPass: mayPass(translated) }
  } finally {
    clearTimeout(timer)
    await sql?.end({ timeout: 0 })
    // Whoever has not answered by now is not waited for.
    if (socket?.connecting) socket.destroy()
    else socket?.destroySoon()
  }
}
