import { sql } from 'drizzle-orm'
import { check, pgEnum, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'

export const encryptionKeyState = pgEnum('encryption_key_state', ['active', 'decrypt_only', 'retired'])

/** Which keys encrypt the columns of this database. The keys themselves stay in the key management service. */
export const encryptionKeys = pgTable(
  'encryption_keys',
  {
    id: text('id').primaryKey(),
    purpose: text('purpose').notNull(),
    algorithm: text('algorithm').notNull(),
    state: encryptionKeyState('state').notNull().default('active'),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    retiredAt: timestamptz('retired_at'),
  },
  (table) => [
    check('encryption_keys_id_check', sql`id ~ '^[a-z0-9][a-z0-9._/-]{0,99}$'`),
    check('encryption_keys_purpose_check', sql`purpose in ('totp', 'oauth')`),
    check('encryption_keys_algorithm_check', sql`algorithm in ('aes-256-gcm', 'xchacha20-poly1305')`),
    check('encryption_keys_retired_at_check', sql`(state = 'retired') = (retired_at is not null)`),
    uniqueIndex('encryption_keys_active_purpose_key')
      .on(table.purpose)
      .where(sql`state = 'active'`),
  ],
)
