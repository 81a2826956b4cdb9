import { sql } from 'drizzle-orm'
import { bigint, bytea, check, foreignKey, pgTable, unique, uuid } from 'drizzle-orm/pg-core'
import { timestamptz } from './timestamptz.ts'
import { userCredentials } from './user-credentials.ts'

/** Codes that stand in for a lost TOTP device, one row a code, each good for one use. */
export const backupCodes = pgTable(
  'backup_codes',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: uuid('user_id').notNull(),
    codeHash: bytea('code_hash').notNull(),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    usedAt: timestamptz('used_at'),
  },
  (table) => [
    check('backup_codes_code_hash_check', sql`octet_length(code_hash) = 32`),
    unique('backup_codes_user_id_code_hash_key').on(table.userId, table.codeHash),
    foreignKey({
      name: 'backup_codes_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
  ],
)
