import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, jsonb, pgEnum, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { circles } from './circles.ts'
import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const eventStatus = pgEnum('event_status', ['draft', 'published', 'cancelled', 'completed'])

export const events = pgTable(
  'events',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'events_tenant_id_fkey', onDelete: 'cascade' }),
    circleId: uuid('circle_id'),
    organizerId: uuid('organizer_id'),
    title: text('title').notNull(),
    description: text('description'),
    eventType: text('event_type', { enum: ['gathering', 'workshop', 'retreat', 'social', 'online'] })
      .notNull()
      .default('gathering'),
    location: text('location'),
    startsAt: timestamp('starts_at', { withTimezone: true }).notNull(),
    endsAt: timestamp('ends_at', { withTimezone: true }),
    capacity: integer('capacity'),
    status: eventStatus('status').notNull().default('draft'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    foreignKey({
      name: 'events_circle_id_fkey',
      columns: [t.tenantId, t.circleId],
      foreignColumns: [circles.tenantId, circles.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'events_organizer_id_fkey',
      columns: [t.tenantId, t.organizerId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('events_title_check', sql`char_length(title) between 1 and 200`),
    check('events_event_type_check', sql`event_type in ('gathering', 'workshop', 'retreat', 'social', 'online')`),
    check('events_ends_at_check', sql`ends_at > starts_at`),
    check('events_capacity_check', sql`capacity > 0`),
    check('events_metadata_check', sql`jsonb_typeof(metadata) = 'object'`),
    index('events_tenant_id_starts_at_idx').on(t.tenantId, t.startsAt.desc().nullsFirst()),
    index('events_published_idx')
      .on(t.tenantId, t.startsAt)
      .where(sql`status = 'published'`),
    index('events_circle_id_idx')
      .on(t.circleId)
      .where(sql`circle_id is not null`),
    index('events_organizer_id_idx')
      .on(t.organizerId)
      .where(sql`organizer_id is not null`),
  ],
)
