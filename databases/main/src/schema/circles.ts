import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const circleStatus = pgEnum('circle_status', ['forming', 'active', 'paused', 'closed'])

export const paymentStatus = pgEnum('payment_status', ['pending', 'current', 'overdue', 'paused'])

export const circles = pgTable(
  'circles',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'circles_tenant_id_fkey', onDelete: 'cascade' }),
    name: text('name').notNull(),
    description: text('description'),
    facilitatorId: uuid('facilitator_id').notNull(),
    capacityMin: integer('capacity_min').notNull().default(2),
    capacityMax: integer('capacity_max').notNull().default(8),
    meetingSchedule: jsonb('meeting_schedule').$type<Record<string, unknown>>().notNull().default({}),
    status: circleStatus('status').notNull().default('forming'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('circles_tenant_id_id_key').on(t.tenantId, t.id),
    // No action: a facilitator is replaced before being deleted. Not restrict: that would stop a tenant's cascade too.
    foreignKey({
      name: 'circles_facilitator_id_fkey',
      columns: [t.tenantId, t.facilitatorId],
      foreignColumns: [users.tenantId, users.id],
    }),
    check('circles_name_check', sql`char_length(name) between 1 and 200`),
    check('circles_capacity_check', sql`capacity_min > 0 and capacity_max >= capacity_min`),
    check('circles_meeting_schedule_check', sql`jsonb_typeof(meeting_schedule) = 'object'`),
    index('circles_facilitator_id_idx').on(t.facilitatorId),
    index('circles_tenant_id_status_idx').on(t.tenantId, t.status, t.createdAt.desc().nullsFirst()),
  ],
)

export const circleMemberships = pgTable(
  'circle_memberships',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    circleId: uuid('circle_id').notNull(),
    userId: uuid('user_id').notNull(),
    paymentStatus: paymentStatus('payment_status').notNull().default('pending'),
    stripeCustomerId: text('stripe_customer_id'),
    stripeSubscriptionId: text('stripe_subscription_id').unique('circle_memberships_stripe_subscription_id_key'),
    joinedAt: timestamp('joined_at', { withTimezone: true }).notNull().defaultNow(),
    leftAt: timestamp('left_at', { withTimezone: true }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('circle_memberships_circle_id_user_id_key').on(t.circleId, t.userId),
    foreignKey({
      name: 'circle_memberships_circle_id_fkey',
      columns: [t.tenantId, t.circleId],
      foreignColumns: [circles.tenantId, circles.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'circle_memberships_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    check('circle_memberships_left_at_check', sql`left_at >= joined_at`),
    index('circle_memberships_user_id_idx').on(t.userId, t.joinedAt.desc().nullsFirst()),
    index('circle_memberships_stripe_customer_id_idx')
      .on(t.stripeCustomerId)
      .where(sql`stripe_customer_id is not null`),
    index('circle_memberships_unpaid_idx')
      .on(t.tenantId, t.updatedAt.desc().nullsFirst())
      .where(sql`payment_status in ('pending', 'overdue') and left_at is null`),
  ],
)
