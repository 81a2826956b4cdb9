import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  interval,
  jsonb,
  pgTable,
  pgView,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { userProfiles } from './profiles.ts'

/** What a person and the assistant have said to each other: the messages are one array, oldest first. */
export const conversations = pgTable(
  'conversations',
  {
    conversationId: uuid('conversation_id').notNull().defaultRandom(),
    userId: text('user_id').notNull(),
    title: text('title'),
    messages: jsonb('messages').$type<readonly Record<string, unknown>[]>().notNull().default([]),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    lastMessageAt: timestamp('last_message_at', { withTimezone: true }),
    archived: boolean('archived').notNull().default(false),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    primaryKey({ name: 'conversations_pkey', columns: [table.conversationId] }),
    foreignKey({
      name: 'conversations_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userProfiles.userId],
    }).onDelete('cascade'),
    check('conversations_messages_is_array', sql`jsonb_typeof(messages) = 'array'`),
    check('conversations_last_message_after_created', sql`last_message_at >= created_at`),
    check('conversations_metadata_is_object', sql`jsonb_typeof(metadata) = 'object'`),
    index('conversations_user_id_idx').on(table.userId),
    index('conversations_created_at_idx').on(table.createdAt.desc().nullsFirst()),
    index('conversations_last_message_at_idx').on(table.lastMessageAt.desc().nullsLast()),
    index('conversations_user_id_last_message_at_idx').on(table.userId, table.lastMessageAt.desc().nullsLast()),
    index('conversations_archived_idx')
      .on(table.userId, table.lastMessageAt.desc().nullsLast())
      .where(sql`archived`),
    index('conversations_retention_idx')
      .on(sql`coalesce(last_message_at, created_at)`)
      .where(sql`not archived`),
  ],
)

/** The conversations whose 90 days are over, oldest first; archived ones are kept until their owner says otherwise. */
export const conversationsForCleanup = pgView('conversations_for_cleanup', {
  conversationId: uuid('conversation_id').notNull(),
  userId: text('user_id').notNull(),
  title: text('title'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  lastMessageAt: timestamp('last_message_at', { withTimezone: true }),
  age: interval('age').notNull(),
})
  .with({ securityInvoker: true })
  .as(
    sql`select conversation_id, user_id, title, created_at, last_message_at,
  now() - coalesce(last_message_at, created_at) as age
from conversations
where not archived
  and coalesce(last_message_at, created_at) < now() - interval '90 days'
order by coalesce(last_message_at, created_at)`,
  )
