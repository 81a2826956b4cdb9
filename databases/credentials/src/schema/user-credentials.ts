import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  bytea,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { encryptionKeys } from './encryption-keys.ts'
import { timestamptz } from './timestamptz.ts'

/** Cost parameters of a password hash, under its algorithm's names: `{ memoryKib: 65536, iterations: 3, lanes: 1 }`. */
export type PasswordParameters = Readonly<Record<string, number | string>>

/** How one user of the main database proves who they are; one row a user, also for those who only sign in elsewhere. */
export const userCredentials = pgTable(
  'user_credentials',
  {
    userId: uuid('user_id').primaryKey(),
    passwordHash: bytea('password_hash'),
    passwordSalt: bytea('password_salt'),
    passwordAlgorithm: text('password_algorithm'),
    passwordParameters: jsonb('password_parameters').$type<PasswordParameters>(),
    passwordChangedAt: timestamptz('password_changed_at'),
    mustChangePassword: boolean('must_change_password').notNull().default(false),
    totpSecretCiphertext: bytea('totp_secret_ciphertext'),
    totpSecretNonce: bytea('totp_secret_nonce'),
    totpKeyId: text('totp_key_id'),
    totpEnabled: boolean('totp_enabled').notNull().default(false),
    totpConfirmedAt: timestamptz('totp_confirmed_at'),
    totpLastStep: bigint('totp_last_step', { mode: 'number' }),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    updatedAt: timestamptz('updated_at').notNull().defaultNow(),
    failedAttempts: integer('failed_attempts').notNull().default(0),
    lastFailedAt: timestamptz('last_failed_at'),
    lockedUntil: timestamptz('locked_until'),
  },
  (table) => [
    check(
      'user_credentials_password_check',
      sql`num_nulls(password_hash, password_salt, password_algorithm, password_parameters) in (0, 4)`,
    ),
    check('user_credentials_password_changed_at_check', sql`(password_hash is null) = (password_changed_at is null)`),
    check('user_credentials_password_hash_check', sql`octet_length(password_hash) between 16 and 128`),
    check('user_credentials_password_salt_check', sql`octet_length(password_salt) between 16 and 64`),
    check(
      'user_credentials_password_algorithm_check',
      sql`password_algorithm in ('argon2id', 'scrypt', 'bcrypt', 'pbkdf2-sha256')`,
    ),
    check('user_credentials_password_parameters_check', sql`jsonb_typeof(password_parameters) = 'object'`),
    check(
      'user_credentials_totp_secret_check',
      sql`num_nulls(totp_secret_ciphertext, totp_secret_nonce, totp_key_id) in (0, 3)`,
    ),
    check('user_credentials_totp_secret_nonce_check', sql`octet_length(totp_secret_nonce) in (12, 24)`),
    check(
      'user_credentials_totp_confirmed_at_check',
      sql`totp_confirmed_at is null or totp_secret_ciphertext is not null`,
    ),
    check('user_credentials_totp_enabled_check', sql`not totp_enabled or totp_confirmed_at is not null`),
    check('user_credentials_failed_attempts_check', sql`failed_attempts >= 0`),
    unique('user_credentials_totp_nonce_key').on(table.totpKeyId, table.totpSecretNonce),
    foreignKey({
      name: 'user_credentials_totp_key_id_fkey',
      columns: [table.totpKeyId],
      foreignColumns: [encryptionKeys.id],
    }).onDelete('restrict'),
    index('user_credentials_locked_until_idx')
      .on(table.lockedUntil)
      .where(sql`locked_until is not null`),
  ],
)
