import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'

import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const messageRole = pgEnum('message_role', ['user', 'assistant'])

export const conversations = pgTable(
  'conversations',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'conversations_tenant_id_fkey', onDelete: 'cascade' }),
    userId: uuid('user_id').notNull(),
    title: text('title'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('conversations_tenant_id_id_key').on(t.tenantId, t.id),
    foreignKey({
      name: 'conversations_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    check('conversations_title_check', sql`char_length(title) <= 200`),
    index('conversations_user_id_updated_at_idx').on(t.userId, t.updatedAt.desc().nullsFirst()),
    index('conversations_tenant_id_created_at_idx').on(t.tenantId, t.createdAt.desc().nullsFirst()),
  ],
)

export const messages = pgTable(
  'messages',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    role: messageRole('role').notNull(),
    content: text('content').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    foreignKey({
      name: 'messages_conversation_id_fkey',
      columns: [t.tenantId, t.conversationId],
      foreignColumns: [conversations.tenantId, conversations.id],
    }).onDelete('cascade'),
    check('messages_content_check', sql`char_length(content) between 1 and 10000`),
    index('messages_conversation_id_created_at_idx').on(t.conversationId, t.createdAt.desc().nullsFirst()),
  ],
)
