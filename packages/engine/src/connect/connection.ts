import type { Socket } from 'node:net'
import { Readable, Stream, Writable } from 'node:stream'

import { DroverError } from '@drover/history'
import postgres from 'postgres'

import { translateConnectionError } from '../diagnose/connection-error.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import type { ConnectionUrl } from './connection-url.ts'
import { saslprep } from './saslprep.ts'
import { tlsFor } from './tls.ts'

/** A row as the server sent it, by column name. */
export type Row = Readonly<Record<string, unknown>>

/** One connection to one database. Opened by its first message; whoever made it closes it. */
export interface Connection extends AsyncDisposable {
  readonly url: ConnectionUrl
  /**
   * Sends statements in one message. They are one transaction unless they say otherwise: an error undoes all of them and
   * leaves the session clean (PostgreSQL, "Multiple Statements in a Simple Query").
   * @returns the rows of the last statement that has any to return
   * @throws {DroverError} for what went wrong with the connection; what the server says of the statements is passed on
   */
  send(sql: string, onRow?: (row: Row) => void): Promise<readonly Row[]>
  /**
   * Whether a pooler stands between us and the server, so that each transaction may have another session. One that keeps
   * sessions together cannot be told from one that does not.
   * @throws {DroverError} for what went wrong with the connection
   */
  isPooled(): Promise<boolean>
  /** Asks the server to end what it is doing for this connection, which then fails with SQLSTATE 57014. Nothing happens where it does nothing. */
  cancel(): Promise<void>
}

/** Options of a connection. */
export interface ConnectionOptions {
  /** Called for each NOTICE and WARNING of the server. Default: they are dropped. */
  readonly onNotice?: (message: string) => void
  /** How long to wait for the server to answer, in seconds. Default 10. */
  readonly connectTimeout?: number
}

/** For this the driver would take PGSSLNEGOTIATION, while what the URL says should be all that counts; its types do not know it. */
const beyondTheUrl = { sslnegotiation: null }

/** What the driver does for people who write statements themselves; each takes its time. */
interface Comforts {
  /** Asks for the catalogue of types, in a round trip: without it, arrays cannot be read. */
  readonly fetchTypes: boolean
  /** Remembers where each statement was sent from, so that the stack of an error goes back to there. */
  readonly traces: boolean
  /** Makes the driver's sockets, connected, in its place. Default: it does so itself, and again when a server hangs up on it. */
  readonly openSocket?: () => Promise<Socket>
}

/**
 * The driver's client of one connection, with the settings that every connection of Drover has.
 * @throws {DroverError} `URL_INVALID` when a file for TLS cannot be used, `NAME_UNUSABLE` for a name of a database that is too long
 */
export function connectDriver(url: ConnectionUrl, settings: ConnectionOptions & Comforts) {
  // A server cuts the name of a database like any other, and would open the one that is called what is left.
  quoteIdentifier(url.database)
  return postgres({
    host: url.host,
    port: url.port,
    database: url.database,
    username: url.user,
    // As a function, because the driver would take PGPASSWORD for an empty one: another server's secret.
    password: () => saslprep(url.revealPassword()),
    ssl: tlsFor(url),
    ...beyondTheUrl,
    ...(settings.openSocket && { socket: settings.openSocket }),
    connection: { application_name: 'drover', ...url.parameters },
    connect_timeout: settings.connectTimeout ?? 10,
    // Whoever wants to wait for a server does so himself; the driver would make all that is sent meanwhile wait as well.
    backoff: false,
    max: 1,
    max_lifetime: null,
    fetch_types: settings.fetchTypes,
    debug: settings.traces,
    // Behind a pooler, a named statement may be in another session.
    prepare: false,
    onnotice: (notice) => settings.onNotice?.(`${notice['severity']}: ${notice['message']}`),
  })
}

/** Makes a connection; nothing is sent before its first message. */
export function openConnection(url: ConnectionUrl, options: ConnectionOptions = {}): Connection {
  const connect = () => connectDriver(url, { ...options, fetchTypes: false, traces: false })
  let sql: ReturnType<typeof connect> | undefined
  let running: { cancel(): unknown } | undefined
  const giveUp = async (error: unknown) => {
    const translated = translateConnectionError(error, url)
    if (translated?.code === 'CONNECTION_LOST') {
      // The driver would answer the next message with the error that ended this connection.
      await sql?.end({ timeout: 0 })
      sql = undefined
    }
    return translated ?? error
  }
  return {
    url,
    send: async (text, onRow) => {
      try {
        sql ??= connect()
        const query = sql.unsafe(text).simple()
        running = query
        if (onRow) {
          refuseCopy(await query.forEach(onRow))
          return []
        }
        const result = await query
        refuseCopy(result)
        return lastRows(result)
      } catch (error) {
        throw await giveUp(error)
      } finally {
        running = undefined
      }
    },
    cancel: async () => {
      // A request that does not get through is as good as one that came too late.
      await Promise.resolve(running?.cancel()).catch(() => undefined)
    },
    isPooled: async () => {
      try {
        sql ??= connect()
        const result = await sql.unsafe('select pg_catalog.pg_backend_pid() as pid').simple()
        // A server names its own process when a client connects, and a pooler something that it has made up.
        return result[0]?.['pid'] !== result.state.pid
      } catch (error) {
        throw await giveUp(error)
      }
    },
    [Symbol.asyncDispose]: async () => sql?.end({ timeout: 5 }),
  }
}

/**
 * A COPY over the connection is resolved with a stream, before the server has done anything: it would pass for a success.
 * Ending the stream of a COPY FROM makes the server undo the message.
 */
function refuseCopy(result: unknown): void {
  if (!(result instanceof Stream)) return
  if (result instanceof Writable) result.destroy()
  else if (result instanceof Readable) result.resume()
  throw new DroverError({
    code: 'STATEMENT_FAILED',
    message: 'a statement copies rows from or to the program that runs it, and there is none but Drover',
    hint: 'write the rows as "insert into … values …"',
  })
}

/** The driver returns the rows of one statement, or a list of such results of several. */
function lastRows(result: readonly (Row | readonly Row[])[]): readonly Row[] {
  const last = result.at(-1)
  if (isRows(last)) return last
  return result.filter((row): row is Row => !isRows(row))
}

function isRows(value: Row | readonly Row[] | undefined): value is readonly Row[] {
  return Array.isArray(value)
}
