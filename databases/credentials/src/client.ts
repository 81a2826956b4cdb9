import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Options, PostgresType, Sql } from 'postgres'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { relations } from './relations.ts'

/** Options of postgres.js: `max`, `ssl`, `idle_timeout`, … */
export type ClientOptions = Options<Record<string, PostgresType>>

/** Drizzle over the credentials database, typed by its schema. `$client` is the pool beneath it. */
export type CredentialsClient = PostgresJsDatabase<typeof relations> & { readonly $client: Sql }

/**
 * Creates a client of the credentials database.
 *
 * It connects with the first query: an unreachable server or a wrong password shows there, not here. The pool belongs
 * to the caller, who closes it with `await client.$client.end()`; until then it keeps the process alive. Defaults are
 * those of postgres.js (10 connections). Throws a `TypeError`, which does not repeat the URL, when `url` cannot be read.
 */
export function createClient(url: string, options: ClientOptions = {}): CredentialsClient {
  return drizzle({ client: open(url, options), relations })
}

function open(url: string, options: ClientOptions): Sql {
  try {
    return postgres(url, options)
  } catch {
    // The original error carries the whole URL, password included, into whatever logs it.
    throw new TypeError(
      'The URL of the credentials database cannot be read: expected postgres://user:password@host:port/database',
    )
  }
}
