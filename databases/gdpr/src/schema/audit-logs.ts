import { sql } from 'drizzle-orm'
import {
  bigint,
  bytea,
  check,
  index,
  inet,
  interval,
  jsonb,
  pgTable,
  pgView,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

/**
 * Who did what to which data, and when.
 *
 * `userId` refers to a profile without a foreign key: the trail must outlive the person's erasure. Triggers set everything
 * from `sequence` on, whatever the application passes for it, and refuse changes: see the README.
 */
export const auditLogs = pgTable(
  'audit_logs',
  {
    logId: uuid('log_id').notNull().defaultRandom(),
    userId: text('user_id'),
    action: text('action').notNull(),
    resourceType: text('resource_type'),
    resourceId: text('resource_id'),
    timestamp: timestamp('timestamp', { withTimezone: true }).notNull().defaultNow(),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    archivedAt: timestamp('archived_at', { withTimezone: true }),
    sequence: bigint('sequence', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    previousHash: bytea('previous_hash')
      .notNull()
      .default(sql`''::bytea`),
    hash: bytea('hash')
      .notNull()
      .default(sql`''::bytea`),
    actorSalt: uuid('actor_salt'),
    actorDigest: bytea('actor_digest')
      .notNull()
      .default(sql`''::bytea`),
    resourceSalt: uuid('resource_salt'),
    resourceDigest: bytea('resource_digest')
      .notNull()
      .default(sql`''::bytea`),
  },
  (table) => [
    primaryKey({ name: 'audit_logs_pkey', columns: [table.logId] }),
    unique('audit_logs_sequence_key').on(table.sequence),
    check('audit_logs_action_not_empty', sql`btrim(action) <> ''`),
    check('audit_logs_timestamp_not_future', sql`timestamp <= now() + interval '5 minutes'`),
    check('audit_logs_metadata_is_object', sql`jsonb_typeof(metadata) = 'object'`),
    check('audit_logs_archived_after_timestamp', sql`archived_at >= timestamp`),
    index('audit_logs_user_id_idx')
      .on(table.userId)
      .where(sql`user_id is not null`),
    index('audit_logs_timestamp_idx').on(table.timestamp.desc().nullsFirst()),
    index('audit_logs_action_idx').on(table.action),
    index('audit_logs_resource_idx')
      .on(table.resourceType, table.resourceId)
      .where(sql`resource_type is not null and resource_id is not null`),
    index('audit_logs_user_id_timestamp_action_idx')
      .on(table.userId, table.timestamp.desc().nullsFirst(), table.action)
      .where(sql`user_id is not null`),
    index('audit_logs_retention_idx')
      .on(table.timestamp)
      .where(sql`archived_at is null`),
  ],
)

/** The entries due for cold storage, oldest first: past 90 days, within 7 years, and not archived yet. */
export const auditLogsForArchival = pgView('audit_logs_for_archival', {
  logId: uuid('log_id').notNull(),
  userId: text('user_id'),
  action: text('action').notNull(),
  timestamp: timestamp('timestamp', { withTimezone: true }).notNull(),
  age: interval('age').notNull(),
})
  .with({ securityInvoker: true })
  .as(
    sql`select log_id, user_id, action, timestamp, now() - timestamp as age
from audit_logs
where archived_at is null
  and timestamp < now() - interval '90 days'
  and timestamp >= now() - interval '7 years'
order by timestamp`,
  )
