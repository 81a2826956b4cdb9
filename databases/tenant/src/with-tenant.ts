import { sql } from 'drizzle-orm'

import type { Client } from './client.ts'
import { schemaOfTenant } from './tenant-schema.ts'

/** Queries within `withTenant`, typed by the schema that every tenant has. */
export type Transaction = Parameters<Parameters<Client['transaction']>[0]>[0]

/**
 * Runs `work` in one transaction in which `contexts` and `summaries` are those of one tenant.
 *
 * The search path ends with the transaction, so a pooled connection never carries a tenant over to its next user, nor
 * does a pooler that shares connections between transactions. Resolves to what `work` returns; whatever it throws rolls
 * the transaction back and is thrown again. Throws a `TypeError` for what is no slug, before anything is sent, and an
 * `Error` when the tenant has no schema, before `work` begins.
 */
export async function withTenant<T>(
  client: Client,
  slug: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const schema = schemaOfTenant(slug)
  return client.transaction(async (transaction) => {
    const found = await transaction.execute(enterSchema(schema))
    if (found.length === 0) throw new Error(`There is no tenant ${slug}: the database has no schema ${schema}`)
    return work(transaction)
  })
}

/**
 * `set local search_path`, for a schema that is there: PostgreSQL takes any other without a word. Without `public` in
 * it, no table there stands in for one that the tenant lacks.
 */
function enterSchema(schema: string) {
  return sql`
select pg_catalog.set_config('search_path', pg_catalog.quote_ident(nspname) || ', pg_temp', true)
from pg_catalog.pg_namespace
where nspname = ${schema}`
}
