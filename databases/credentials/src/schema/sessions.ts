import { sql } from 'drizzle-orm'
import { bytea, check, foreignKey, index, inet, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'
import { userCredentials } from './user-credentials.ts'

/** Devices on which a user is signed in. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    tokenHash: bytea('token_hash').notNull(),
    ip: inet('ip'),
    userAgent: text('user_agent'),
    mfaVerifiedAt: timestamptz('mfa_verified_at'),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    lastSeenAt: timestamptz('last_seen_at').notNull().defaultNow(),
    expiresAt: timestamptz('expires_at').notNull(),
    revokedAt: timestamptz('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (table) => [
    check('sessions_token_hash_check', sql`octet_length(token_hash) = 32`),
    check('sessions_user_agent_check', sql`char_length(user_agent) <= 1000`),
    check('sessions_expires_at_check', sql`expires_at > created_at`),
    check(
      'sessions_revoked_reason_check',
      sql`revoked_reason in ('logout', 'password_changed', 'token_reused', 'administrator')`,
    ),
    check('sessions_revoked_check', sql`(revoked_at is null) = (revoked_reason is null)`),
    unique('sessions_token_hash_key').on(table.tokenHash),
    foreignKey({
      name: 'sessions_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
    index('sessions_user_id_idx').on(table.userId),
    index('sessions_expires_at_idx').on(table.expiresAt),
  ],
)

/**
 * Refresh tokens of a session, each exchanged once for its successor.
 *
 * A family is the chain that began with one sign-in. Whoever presents a token that was already exchanged holds a copy:
 * the whole family is revoked then, and its session with it.
 */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    sessionId: uuid('session_id').notNull(),
    familyId: uuid('family_id').notNull(),
    parentId: uuid('parent_id'),
    tokenHash: bytea('token_hash').notNull(),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    expiresAt: timestamptz('expires_at').notNull(),
    usedAt: timestamptz('used_at'),
    revokedAt: timestamptz('revoked_at'),
    reuseDetectedAt: timestamptz('reuse_detected_at'),
  },
  (table) => [
    check('refresh_tokens_token_hash_check', sql`octet_length(token_hash) = 32`),
    check('refresh_tokens_parent_id_check', sql`parent_id <> id`),
    check('refresh_tokens_expires_at_check', sql`expires_at > created_at`),
    check(
      'refresh_tokens_reuse_detected_at_check',
      sql`reuse_detected_at is null or (used_at is not null and revoked_at is not null)`,
    ),
    unique('refresh_tokens_token_hash_key').on(table.tokenHash),
    unique('refresh_tokens_id_family_id_session_id_key').on(table.id, table.familyId, table.sessionId),
    unique('refresh_tokens_parent_id_key').on(table.parentId),
    foreignKey({
      name: 'refresh_tokens_session_id_fkey',
      columns: [table.sessionId],
      foreignColumns: [sessions.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'refresh_tokens_parent_id_fkey',
      columns: [table.parentId, table.familyId, table.sessionId],
      foreignColumns: [table.id, table.familyId, table.sessionId],
    }),
    uniqueIndex('refresh_tokens_family_id_root_key')
      .on(table.familyId)
      .where(sql`parent_id is null`),
    uniqueIndex('refresh_tokens_family_id_live_key')
      .on(table.familyId)
      .where(sql`used_at is null and revoked_at is null`),
    index('refresh_tokens_family_id_idx').on(table.familyId),
    index('refresh_tokens_session_id_idx').on(table.sessionId),
    index('refresh_tokens_expires_at_idx').on(table.expiresAt),
  ],
)
