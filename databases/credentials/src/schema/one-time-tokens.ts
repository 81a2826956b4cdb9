import { sql } from 'drizzle-orm'
import { bytea, check, foreignKey, index, inet, integer, pgEnum, pgTable, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'
import { userCredentials } from './user-credentials.ts'

export const passwordTokenPurpose = pgEnum('password_token_purpose', ['reset', 'change'])

export const verificationChannel = pgEnum('verification_channel', ['email', 'phone'])

/** Permissions, sent by mail and good for one use, to set a new password. */
export const passwordTokens = pgTable(
  'password_tokens',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    purpose: passwordTokenPurpose('purpose').notNull(),
    tokenHash: bytea('token_hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    maxAttempts: integer('max_attempts').notNull().default(5),
    requestedIp: inet('requested_ip'),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    expiresAt: timestamptz('expires_at').notNull(),
    usedAt: timestamptz('used_at'),
    revokedAt: timestamptz('revoked_at'),
  },
  (table) => [
    check('password_tokens_token_hash_check', sql`octet_length(token_hash) = 32`),
    check('password_tokens_attempts_check', sql`attempts between 0 and max_attempts`),
    check('password_tokens_expires_at_check', sql`expires_at > created_at`),
    check('password_tokens_outcome_check', sql`num_nonnulls(used_at, revoked_at) <= 1`),
    foreignKey({
      name: 'password_tokens_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
    uniqueIndex('password_tokens_token_hash_key').on(table.tokenHash),
    uniqueIndex('password_tokens_open_key')
      .on(table.userId, table.purpose)
      .where(sql`used_at is null and revoked_at is null`),
    index('password_tokens_user_id_idx').on(table.userId),
    index('password_tokens_expires_at_idx').on(table.expiresAt),
  ],
)

/** Proofs, good for one use, that an e-mail address or a phone number belongs to the user. */
export const verificationTokens = pgTable(
  'verification_tokens',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    channel: verificationChannel('channel').notNull(),
    destinationHash: bytea('destination_hash').notNull(),
    tokenHash: bytea('token_hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    maxAttempts: integer('max_attempts').notNull().default(5),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    expiresAt: timestamptz('expires_at').notNull(),
    usedAt: timestamptz('used_at'),
    revokedAt: timestamptz('revoked_at'),
  },
  (table) => [
    check('verification_tokens_destination_hash_check', sql`octet_length(destination_hash) = 32`),
    check('verification_tokens_token_hash_check', sql`octet_length(token_hash) = 32`),
    check('verification_tokens_attempts_check', sql`attempts between 0 and max_attempts`),
    check('verification_tokens_expires_at_check', sql`expires_at > created_at`),
    check('verification_tokens_outcome_check', sql`num_nonnulls(used_at, revoked_at) <= 1`),
    foreignKey({
      name: 'verification_tokens_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
    uniqueIndex('verification_tokens_token_hash_key').on(table.tokenHash),
    uniqueIndex('verification_tokens_open_key')
      .on(table.userId, table.channel)
      .where(sql`used_at is null and revoked_at is null`),
    index('verification_tokens_user_id_idx').on(table.userId),
    index('verification_tokens_expires_at_idx').on(table.expiresAt),
  ],
)
