import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

import { circles } from './circles.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const meetingStatus = pgEnum('meeting_status', ['scheduled', 'in_progress', 'completed', 'cancelled'])

export const attendanceStatus = pgEnum('attendance_status', ['invited', 'confirmed', 'attended', 'excused', 'absent'])

export const meetings = pgTable(
  'meetings',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    circleId: uuid('circle_id').notNull(),
    title: text('title').notNull(),
    agenda: jsonb('agenda').$type<readonly unknown[]>().notNull().default([]),
    location: text('location'),
    notes: text('notes'),
    status: meetingStatus('status').notNull().default('scheduled'),
    scheduledAt: timestamp('scheduled_at', { withTimezone: true }).notNull(),
    durationMinutes: integer('duration_minutes').notNull().default(90),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('meetings_tenant_id_id_key').on(t.tenantId, t.id),
    foreignKey({
      name: 'meetings_circle_id_fkey',
      columns: [t.tenantId, t.circleId],
      foreignColumns: [circles.tenantId, circles.id],
    }).onDelete('cascade'),
    check('meetings_title_check', sql`char_length(title) between 1 and 200`),
    check('meetings_agenda_check', sql`jsonb_typeof(agenda) = 'array'`),
    check('meetings_duration_minutes_check', sql`duration_minutes > 0`),
    index('meetings_circle_id_scheduled_at_idx').on(t.circleId, t.scheduledAt.desc().nullsFirst()),
    index('meetings_upcoming_idx')
      .on(t.tenantId, t.scheduledAt)
      .where(sql`status = 'scheduled'`),
  ],
)

export const meetingAttendance = pgTable(
  'meeting_attendance',
  {
    tenantId: uuid('tenant_id').notNull(),
    meetingId: uuid('meeting_id').notNull(),
    userId: uuid('user_id').notNull(),
    status: attendanceStatus('status').notNull().default('invited'),
    checkedInAt: timestamp('checked_in_at', { withTimezone: true }),
    notes: text('notes'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ name: 'meeting_attendance_pkey', columns: [t.meetingId, t.userId] }),
    foreignKey({
      name: 'meeting_attendance_meeting_id_fkey',
      columns: [t.tenantId, t.meetingId],
      foreignColumns: [meetings.tenantId, meetings.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'meeting_attendance_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    index('meeting_attendance_user_id_idx').on(t.userId, t.createdAt.desc().nullsFirst()),
  ],
)
