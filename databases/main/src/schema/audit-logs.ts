import { sql } from 'drizzle-orm'
import {
  bigint,
  check,
  foreignKey,
  index,
  inet,
  jsonb,
  pgEnum,
  pgPolicy,
  pgTable,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { tenantPolicies } from './tenant-policies.ts'
import { tenants } from './tenants.ts'
import { users } from './users.ts'

export const auditStatus = pgEnum('audit_status', ['success', 'failure', 'error'])

export const auditLogs = pgTable.withRLS(
  'audit_logs',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    // Restrict: a tenant is not deleted while its trail has not been archived.
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'audit_logs_tenant_id_fkey', onDelete: 'restrict' }),
    userId: uuid('user_id'),
    action: text('action').notNull(),
    resourceType: text('resource_type'),
    resourceId: text('resource_id'),
    requestId: uuid('request_id'),
    status: auditStatus('status').notNull().default('success'),
    errorMessage: text('error_message'),
    changes: jsonb('changes').$type<Record<string, unknown>>().notNull().default({}),
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    occurredAt: timestamp('occurred_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    foreignKey({
      name: 'audit_logs_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('audit_logs_action_check', sql`char_length(action) between 1 and 100`),
    check('audit_logs_resource_check', sql`resource_id is null or resource_type is not null`),
    check('audit_logs_changes_check', sql`jsonb_typeof(changes) = 'object'`),
    check('audit_logs_details_check', sql`jsonb_typeof(details) = 'object'`),
    check('audit_logs_metadata_check', sql`jsonb_typeof(metadata) = 'object'`),
    index('audit_logs_tenant_id_occurred_at_idx').on(t.tenantId, t.occurredAt.desc().nullsFirst()),
    index('audit_logs_tenant_id_action_idx').on(t.tenantId, t.action, t.occurredAt.desc().nullsFirst()),
    index('audit_logs_user_id_idx')
      .on(t.userId, t.occurredAt.desc().nullsFirst())
      .where(sql`user_id is not null`),
    index('audit_logs_resource_idx')
      .on(t.tenantId, t.resourceType, t.resourceId, t.occurredAt.desc().nullsFirst())
      .where(sql`resource_type is not null`),
    index('audit_logs_request_id_idx')
      .on(t.requestId)
      .where(sql`request_id is not null`),
    index('audit_logs_failed_idx')
      .on(t.tenantId, t.occurredAt.desc().nullsFirst())
      .where(sql`status in ('failure', 'error')`),
    index('audit_logs_changes_idx').using('gin', t.changes.op('jsonb_path_ops')),
    // Read, append and purge; with no permissive policy for update, nobody rewrites the trail.
    pgPolicy('audit_logs_read', { as: 'permissive', for: 'select', using: sql`true` }),
    pgPolicy('audit_logs_append', { as: 'permissive', for: 'insert', withCheck: sql`true` }),
    pgPolicy('audit_logs_purge', { as: 'permissive', for: 'delete', using: sql`true` }),
    ...tenantPolicies('audit_logs'),
  ],
)
