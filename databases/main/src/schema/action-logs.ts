import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgEnum, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'

import { openPolicy, tenantPolicies } from './tenant-policies.ts'
import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'

export const actionType = pgEnum('action_type', [
  'message_send',
  'message_update',
  'message_delete',
  'channel_create',
  'channel_archive',
  'email_send',
  'email_read',
  'calendar_event_create',
  'calendar_event_update',
  'calendar_event_delete',
  'file_upload',
  'file_download',
  'file_share',
  'file_delete',
  'document_create',
  'document_update',
  'issue_create',
  'issue_update',
  'issue_close',
  'comment_create',
  'search_query',
  'completion_request',
  'webhook_receive',
  'webhook_deliver',
])

export const actionStatus = pgEnum('action_status', ['pending', 'success', 'failure', 'timeout', 'retry'])

export const actionLogs = pgTable.withRLS(
  'action_logs',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'action_logs_tenant_id_fkey', onDelete: 'cascade' }),
    actionType: actionType('action_type').notNull(),
    provider: text('provider').notNull(),
    request: jsonb('request').$type<Record<string, unknown>>().notNull().default({}),
    response: jsonb('response'),
    status: actionStatus('status').notNull().default('pending'),
    error: text('error'),
    executionTimeMs: integer('execution_time_ms'),
    actionMetadata: jsonb('action_metadata').$type<Record<string, unknown>>().notNull().default({}),
    completedAt: timestamp('completed_at', { withTimezone: true }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('action_logs_tenant_id_id_key').on(t.tenantId, t.id),
    check('action_logs_provider_check', sql`char_length(provider) between 1 and 100`),
    check('action_logs_request_check', sql`jsonb_typeof(request) = 'object'`),
    check('action_logs_execution_time_ms_check', sql`execution_time_ms >= 0`),
    check('action_logs_action_metadata_check', sql`jsonb_typeof(action_metadata) = 'object'`),
    index('action_logs_tenant_id_created_at_idx').on(t.tenantId, t.createdAt.desc().nullsFirst()),
    index('action_logs_tenant_id_action_type_idx').on(t.tenantId, t.actionType, t.createdAt.desc().nullsFirst()),
    index('action_logs_tenant_id_provider_idx').on(t.tenantId, t.provider, t.createdAt.desc().nullsFirst()),
    index('action_logs_open_idx')
      .on(t.tenantId, t.createdAt)
      .where(sql`status in ('pending', 'retry')`),
    index('action_logs_failed_idx')
      .on(t.tenantId, t.createdAt.desc().nullsFirst())
      .where(sql`status in ('failure', 'timeout')`),
    index('action_logs_action_metadata_idx').using('gin', t.actionMetadata.op('jsonb_path_ops')),
    openPolicy('action_logs'),
    ...tenantPolicies('action_logs'),
  ],
)
