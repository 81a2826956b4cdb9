import { sql } from 'drizzle-orm'
import {
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { contexts } from './contexts.ts'
import { createdAt, updatedAt } from './timestamps.ts'

/** What models have made of contexts, and how far they have come with those that are under way. */
export const summaries = pgTable(
  'summaries',
  {
    id: uuid('id').notNull().defaultRandom(),
    contextId: uuid('context_id').notNull(),
    contextVersion: integer('context_version').notNull(),
    kind: text('kind', { enum: ['abstract', 'key_points', 'title', 'full'] })
      .notNull()
      .default('abstract'),
    content: text('content'),
    qualityScore: doublePrecision('quality_score'),
    confidenceScore: doublePrecision('confidence_score'),
    inputTokens: integer('input_tokens').notNull().default(0),
    outputTokens: integer('output_tokens').notNull().default(0),
    model: text('model'),
    modelParameters: jsonb('model_parameters').$type<Record<string, unknown>>().notNull().default({}),
    status: text('status', { enum: ['pending', 'processing', 'completed', 'failed'] })
      .notNull()
      .default('pending'),
    startedAt: timestamp('started_at', { withTimezone: true }),
    completedAt: timestamp('completed_at', { withTimezone: true }),
    processingTimeMs: integer('processing_time_ms'),
    retryCount: integer('retry_count').notNull().default(0),
    nextRetryAt: timestamp('next_retry_at', { withTimezone: true }),
    errorMessage: text('error_message'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ name: 'summaries_pkey', columns: [t.id] }),
    foreignKey({
      name: 'summaries_context_id_fkey',
      columns: [t.contextId],
      foreignColumns: [contexts.id],
    }).onDelete('cascade'),
    check('summaries_kind_check', sql`kind in ('abstract', 'key_points', 'title', 'full')`),
    check('summaries_scores_check', sql`quality_score between 0 and 1 and confidence_score between 0 and 1`),
    check(
      'summaries_counts_check',
      sql`context_version > 0 and input_tokens >= 0 and output_tokens >= 0
  and retry_count >= 0 and processing_time_ms >= 0`,
    ),
    check(
      'summaries_status_check',
      sql`case status
  when 'pending' then completed_at is null
  when 'processing' then completed_at is null
  when 'completed' then completed_at is not null and content is not null
  when 'failed' then error_message is not null
  else false
end`,
    ),
    check('summaries_json_check', sql`jsonb_typeof(model_parameters) = 'object' and jsonb_typeof(metadata) = 'object'`),
    index('summaries_context_id_created_at_idx').on(t.contextId, t.createdAt.desc().nullsFirst()),
    index('summaries_context_id_kind_idx')
      .on(t.contextId, t.kind, t.contextVersion.desc().nullsFirst())
      .where(sql`status = 'completed'`),
    index('summaries_model_created_at_idx').on(t.model, t.createdAt.desc().nullsFirst()),
    index('summaries_quality_score_idx')
      .on(t.qualityScore)
      .where(sql`status = 'completed'`),
    index('summaries_pending_idx')
      .on(t.nextRetryAt.asc().nullsFirst(), t.createdAt)
      .where(sql`status = 'pending'`),
    index('summaries_unfinished_idx')
      .on(t.status, t.updatedAt)
      .where(sql`status in ('processing', 'failed')`),
  ],
)
