import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

import { relations } from './relations.ts'

/** Queries on the gdpr database, typed by its schema. */
export type Client = PostgresJsDatabase<typeof relations> & { readonly $client: postgres.Sql }

/**
 * Opens a client on the gdpr database; connections are made with the first query, not here.
 *
 * `options` are those of postgres.js, with its defaults (at most 10 connections). The caller owns the client and closes
 * it with `await client.$client.end()`. Throws a `TypeError`, which does not repeat the URL, when `url` cannot be read.
 */
export function createClient(url: string, options: postgres.Options<Record<string, never>> = {}): Client {
  return drizzle({ client: open(url, options), relations })
}

function open(url: string, options: postgres.Options<Record<string, never>>): postgres.Sql {
  try {
    return postgres(url, options)
  } catch {
    // The original error carries the whole URL, password included, into whatever logs it.
    throw new TypeError(
      'The URL of the gdpr database cannot be read: expected postgres://user:password@host:port/database',
    )
  }
}
