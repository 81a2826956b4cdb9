import { sql } from 'drizzle-orm'
import { bytea, check, foreignKey, index, inet, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'
import { userCredentials } from './user-credentials.ts'

/** Keys with which a user's programs call the API; shown once, at creation, and kept as a hash. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    name: text('name').notNull(),
    prefix: text('prefix').notNull(),
    keyHash: bytea('key_hash').notNull(),
    scopes: text('scopes')
      .array()
      .notNull()
      .default(sql`'{}'`),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    lastUsedAt: timestamptz('last_used_at'),
    lastUsedIp: inet('last_used_ip'),
    expiresAt: timestamptz('expires_at'),
    revokedAt: timestamptz('revoked_at'),
  },
  (table) => [
    check('api_keys_name_check', sql`char_length(name) between 1 and 100`),
    check('api_keys_prefix_check', sql`prefix ~ '^[A-Za-z0-9_]{6,32}$'`),
    check('api_keys_key_hash_check', sql`octet_length(key_hash) = 32`),
    check('api_keys_expires_at_check', sql`expires_at > created_at`),
    unique('api_keys_prefix_key').on(table.prefix),
    unique('api_keys_key_hash_key').on(table.keyHash),
    foreignKey({
      name: 'api_keys_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
    index('api_keys_user_id_idx').on(table.userId),
  ],
)
