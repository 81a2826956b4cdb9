import { sql } from 'drizzle-orm'

import type { MainClient } from './client.ts'

type Transaction = Parameters<Parameters<MainClient['transaction']>[0]>[0]

/**
 * Runs `work` in one transaction that sees and writes the rows of one tenant in the tables under row-level security.
 *
 * The setting ends with the transaction, so a pooled connection never carries a tenant over to its next user. Resolves
 * to what `work` returns; whatever it throws rolls the transaction back and is thrown again.
 */
export async function withTenant<T>(
  client: MainClient,
  tenantId: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return client.transaction(async (transaction) => {
    await transaction.execute(sql`select set_config('app.current_tenant_id', ${tenantId}, true)`)
    return work(transaction)
  })
}
