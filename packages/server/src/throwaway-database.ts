import { ServerError } from './server-error.ts'

/** A database that exists for one test. Disposing of it drops it, whoever is still connected. */
export interface ThrowawayDatabase extends AsyncDisposable {
  readonly url: string
  readonly name: string
}

/**
 * Creates a database of its own on a server, for one test.
 *
 * It is a copy of `template` (default `template0`: empty, whatever the server's administrator has put elsewhere), to
 * which nobody may be connected at that moment. Its name is `prefix` (default `drover_test`, 50 bytes at most) and a
 * random part. The URL's user must be allowed to create databases, and its database must exist.
 *
 * Throws ServerError INVALID_URL, a RangeError for a prefix that is too long, or PostgreSQL's error.
 */
export async function createThrowawayDatabase(
  serverUrl: string,
  options: { readonly template?: string; readonly prefix?: string } = {},
): Promise<ThrowawayDatabase> {
  const prefix = options.prefix ?? 'drover_test'
  if (Buffer.byteLength(prefix) > 50) throw new RangeError(`The prefix of a database has 50 bytes at most: ${prefix}`)
  const name = `${prefix}_${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`
  const url = urlOfDatabase(serverUrl, name)

  // wal_log copies 5 times as fast as file_copy, which makes two checkpoints.
  const template = options.template ?? 'template0'
  await run(serverUrl, `create database ${quote(name)} template ${quote(template)} strategy wal_log`)
  return {
    url,
    name,
    [Symbol.asyncDispose]: () => run(serverUrl, `drop database if exists ${quote(name)} with (force)`),
  }
}

function urlOfDatabase(serverUrl: string, name: string): string {
  // The error of `new URL` would show the password.
  const url = URL.parse(serverUrl)
  if (url === null) {
    throw new ServerError('INVALID_URL', 'The URL of the server for tests is not a URL.', {
      hint: 'It should read postgres://user:password@host:port/database, special characters percent-encoded.',
    })
  }
  url.pathname = `/${encodeURIComponent(name)}`
  return url.href
}

async function run(serverUrl: string, statement: string): Promise<void> {
  const { default: postgres } = await import('postgres')
  // postgres.js takes the name of the database from the URL without decoding it.
  const database = decodeURIComponent(new URL(serverUrl).pathname.slice(1)) || 'postgres'
  const sql = postgres(serverUrl, { database, max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
