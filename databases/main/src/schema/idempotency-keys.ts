import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { openPolicy, tenantPolicies } from './tenant-policies.ts'
import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'

export const idempotencyKeys = pgTable.withRLS(
  'idempotency_keys',
  {
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'idempotency_keys_tenant_id_fkey', onDelete: 'cascade' }),
    key: text('key').notNull(),
    requestHash: text('request_hash'),
    responseStatus: integer('response_status'),
    response: jsonb('response'),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ name: 'idempotency_keys_pkey', columns: [t.tenantId, t.key] }),
    check('idempotency_keys_key_check', sql`char_length(key) between 1 and 255`),
    check('idempotency_keys_response_status_check', sql`response_status between 100 and 599`),
    check('idempotency_keys_expires_at_check', sql`expires_at > created_at`),
    index('idempotency_keys_expires_at_idx').on(t.expiresAt),
    openPolicy('idempotency_keys'),
    ...tenantPolicies('idempotency_keys'),
  ],
)
