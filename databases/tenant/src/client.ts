import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

import { relations } from './relations.ts'

/** A client on the database with the tenants' schemas. Queries on their tables go through `withTenant`. */
export type Client = PostgresJsDatabase<typeof relations> & { readonly $client: postgres.Sql }

/**
 * Opens a client on the database with the tenants' schemas; connections are made with the first query, not here.
 *
 * `options` are those of postgres.js, with its defaults (at most 10 connections). The caller owns the client and closes
 * it with `await client.$client.end()`. Throws a `TypeError`, which does not repeat the URL, when `url` cannot be read.
 */
export function createClient(url: string, options: postgres.Options<Record<string, never>> = {}): Client {
  return clientOf(open(url, options))
}

/** Queries through a postgres.js client that is there already. It stays the caller's to close. */
export function clientOf(sql: postgres.Sql): Client {
  return drizzle({ client: sql, relations })
}

function open(url: string, options: postgres.Options<Record<string, never>>): postgres.Sql {
  try {
    return postgres(url, options)
  } catch {
    // The original error carries the whole URL, password included, into whatever logs it.
    throw new TypeError(
      'The URL of the tenant database cannot be read: expected postgres://user:password@host:port/database',
    )
  }
}
