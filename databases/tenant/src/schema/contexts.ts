import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'

import { createdAt, updatedAt } from './timestamps.ts'

/** What a tenant has stored for its models to work with: one document a row, found by kind and by tag. */
export const contexts = pgTable(
  'contexts',
  {
    id: uuid('id').notNull().defaultRandom(),
    kind: varchar('kind', { length: 50 }).notNull(),
    title: varchar('title', { length: 255 }).notNull(),
    description: text('description'),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    tags: jsonb('tags').$type<readonly string[]>().notNull().default([]),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    source: text('source'),
    version: integer('version').notNull().default(1),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    createdBy: uuid('created_by'),
    updatedBy: uuid('updated_by'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    accessCount: bigint('access_count', { mode: 'number' }).notNull().default(0),
    lastAccessedAt: timestamp('last_accessed_at', { withTimezone: true }),
    isArchived: boolean('is_archived').notNull().default(false),
    archivedAt: timestamp('archived_at', { withTimezone: true }),
  },
  (t) => [
    primaryKey({ name: 'contexts_pkey', columns: [t.id] }),
    check(
      'contexts_json_check',
      sql`jsonb_typeof(data) = 'object' and jsonb_typeof(tags) = 'array' and jsonb_typeof(metadata) = 'object'`,
    ),
    check('contexts_version_check', sql`version > 0`),
    check('contexts_usage_check', sql`access_count >= 0 and is_archived = (archived_at is not null)`),
    index('contexts_tags_idx').using('gin', t.tags),
    index('contexts_created_at_idx').on(t.createdAt.desc().nullsFirst()),
    index('contexts_kind_created_at_idx').on(t.kind, t.createdAt.desc().nullsFirst()),
    index('contexts_expires_at_idx')
      .on(t.expiresAt)
      .where(sql`expires_at is not null`),
    index('contexts_last_accessed_at_idx')
      .on(t.lastAccessedAt.asc().nullsFirst())
      .where(sql`not is_archived`),
    index('contexts_archived_at_idx')
      .on(t.archivedAt)
      .where(sql`is_archived`),
  ],
)
