import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgEnum, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'

import { circles } from './circles.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const transferStatus = pgEnum('transfer_status', ['pending', 'approved', 'denied', 'withdrawn'])

export const transferRequests = pgTable(
  'transfer_requests',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    userId: uuid('user_id').notNull(),
    fromCircleId: uuid('from_circle_id').notNull(),
    toCircleId: uuid('to_circle_id').notNull(),
    reason: text('reason'),
    status: transferStatus('status').notNull().default('pending'),
    decidedBy: uuid('decided_by'),
    decidedAt: timestamp('decided_at', { withTimezone: true }),
    decisionNote: text('decision_note'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    foreignKey({
      name: 'transfer_requests_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'transfer_requests_from_circle_id_fkey',
      columns: [t.tenantId, t.fromCircleId],
      foreignColumns: [circles.tenantId, circles.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'transfer_requests_to_circle_id_fkey',
      columns: [t.tenantId, t.toCircleId],
      foreignColumns: [circles.tenantId, circles.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'transfer_requests_decided_by_fkey',
      columns: [t.tenantId, t.decidedBy],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('transfer_requests_circles_check', sql`from_circle_id <> to_circle_id`),
    check('transfer_requests_decided_at_check', sql`(decided_at is not null) = (status in ('approved', 'denied'))`),
    uniqueIndex('transfer_requests_pending_key')
      .on(t.userId, t.fromCircleId)
      .where(sql`status = 'pending'`),
    index('transfer_requests_user_id_idx').on(t.userId),
    index('transfer_requests_from_circle_id_idx').on(t.fromCircleId),
    index('transfer_requests_to_circle_id_idx').on(t.toCircleId),
    index('transfer_requests_decided_by_idx')
      .on(t.decidedBy)
      .where(sql`decided_by is not null`),
    index('transfer_requests_tenant_id_pending_idx')
      .on(t.tenantId, t.createdAt.desc().nullsFirst())
      .where(sql`status = 'pending'`),
  ],
)
