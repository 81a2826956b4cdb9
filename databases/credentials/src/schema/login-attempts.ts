import { sql } from 'drizzle-orm'
import { bigint, bytea, check, index, inet, pgEnum, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'

export const loginMethod = pgEnum('login_method', [
  'password',
  'totp',
  'backup_code',
  'oauth',
  'refresh_token',
  'api_key',
])

export const loginOutcome = pgEnum('login_outcome', ['success', 'failure', 'blocked'])

/** Audit trail of sign-ins: append-only, and without foreign keys so that it outlives the user and the session. */
export const loginAttempts = pgTable(
  'login_attempts',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamptz('at').notNull().defaultNow(),
    userId: uuid('user_id'),
    identifierHash: bytea('identifier_hash'),
    method: loginMethod('method').notNull(),
    outcome: loginOutcome('outcome').notNull(),
    reason: text('reason'),
    ip: inet('ip'),
    userAgent: text('user_agent'),
    sessionId: uuid('session_id'),
  },
  (table) => [
    check('login_attempts_identifier_hash_check', sql`octet_length(identifier_hash) = 32`),
    check(
      'login_attempts_reason_check',
      sql`reason in ('unknown_user', 'mismatch', 'expired', 'revoked', 'reused', 'locked', 'throttled', 'disabled')`,
    ),
    check('login_attempts_outcome_check', sql`(outcome = 'success') = (reason is null)`),
    check('login_attempts_session_id_check', sql`session_id is null or outcome = 'success'`),
    index('login_attempts_user_id_at_idx')
      .on(table.userId, table.at)
      .where(sql`user_id is not null`),
    index('login_attempts_identifier_hash_failed_at_idx')
      .on(table.identifierHash, table.at)
      .where(sql`outcome = 'failure' and identifier_hash is not null`),
    index('login_attempts_ip_failed_at_idx')
      .on(table.ip, table.at)
      .where(sql`outcome = 'failure' and ip is not null`),
    index('login_attempts_at_idx').using('brin', table.at),
  ],
)
