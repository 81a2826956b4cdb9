import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  inet,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'

import { userProfiles } from './profiles.ts'

/** The six grounds on which GDPR Article 6(1) allows personal data to be processed, in the order of its letters. */
export const legalBasis = pgEnum('legal_basis', [
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests',
])

/**
 * Every decision that a person has taken about the processing of their data, one row per decision.
 *
 * A withdrawal is a decision of its own (`granted` false), and closes the grants before it (`withdrawnAt`).
 */
export const consentRecords = pgTable(
  'consent_records',
  {
    consentId: uuid('consent_id').notNull().defaultRandom(),
    userId: text('user_id').notNull(),
    consentType: text('consent_type').notNull(),
    granted: boolean('granted').notNull(),
    timestamp: timestamp('timestamp', { withTimezone: true }).notNull().defaultNow(),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    legalBasis: legalBasis('legal_basis').notNull().default('consent'),
    withdrawnAt: timestamp('withdrawn_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ name: 'consent_records_pkey', columns: [table.consentId] }),
    foreignKey({
      name: 'consent_records_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userProfiles.userId],
    }).onDelete('cascade'),
    check('consent_records_type_not_empty', sql`btrim(consent_type) <> ''`),
    check('consent_records_metadata_is_object', sql`jsonb_typeof(metadata) = 'object'`),
    check('consent_records_withdrawn_was_granted', sql`withdrawn_at is null or granted`),
    check('consent_records_withdrawn_after_granted', sql`withdrawn_at >= timestamp`),
    index('consent_records_user_id_idx').on(table.userId),
    index('consent_records_consent_type_idx').on(table.consentType),
    index('consent_records_timestamp_idx').on(table.timestamp.desc().nullsFirst()),
    index('consent_records_user_id_consent_type_idx').on(
      table.userId,
      table.consentType,
      table.timestamp.desc().nullsFirst(),
    ),
  ],
)
