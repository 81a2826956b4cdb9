import { sql } from 'drizzle-orm'
import { bytea, check, foreignKey, pgEnum, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { encryptionKeys } from './encryption-keys.ts'
import { timestamptz } from './timestamptz.ts'
import { userCredentials } from './user-credentials.ts'

export const identityProtocol = pgEnum('identity_protocol', ['oauth2', 'oidc', 'saml'])

export const oauthTokenKind = pgEnum('oauth_token_kind', ['access', 'refresh', 'id'])

/** Accounts at other providers with which a user may sign in; Google's user id is the subject of a `google` row. */
export const oauthIdentities = pgTable(
  'oauth_identities',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: uuid('user_id').notNull(),
    provider: text('provider').notNull(),
    protocol: identityProtocol('protocol').notNull().default('oidc'),
    subject: text('subject').notNull(),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    updatedAt: timestamptz('updated_at').notNull().defaultNow(),
    lastLoginAt: timestamptz('last_login_at'),
  },
  (table) => [
    check('oauth_identities_provider_check', sql`provider ~ '^[a-z][a-z0-9:_-]{0,99}$'`),
    check('oauth_identities_subject_check', sql`char_length(subject) between 1 and 255`),
    unique('oauth_identities_provider_subject_key').on(table.provider, table.subject),
    unique('oauth_identities_user_id_provider_key').on(table.userId, table.provider),
    foreignKey({
      name: 'oauth_identities_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userCredentials.userId],
    }).onDelete('cascade'),
  ],
)

/** Tokens that a provider issued to us for an identity, encrypted; the newest of each kind. */
export const oauthTokens = pgTable(
  'oauth_tokens',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    identityId: uuid('identity_id').notNull(),
    kind: oauthTokenKind('kind').notNull(),
    ciphertext: bytea('ciphertext').notNull(),
    nonce: bytea('nonce').notNull(),
    keyId: text('key_id').notNull(),
    scopes: text('scopes')
      .array()
      .notNull()
      .default(sql`'{}'`),
    expiresAt: timestamptz('expires_at'),
    createdAt: timestamptz('created_at').notNull().defaultNow(),
    updatedAt: timestamptz('updated_at').notNull().defaultNow(),
  },
  (table) => [
    check('oauth_tokens_nonce_check', sql`octet_length(nonce) in (12, 24)`),
    unique('oauth_tokens_identity_id_kind_key').on(table.identityId, table.kind),
    unique('oauth_tokens_key_id_nonce_key').on(table.keyId, table.nonce),
    foreignKey({
      name: 'oauth_tokens_identity_id_fkey',
      columns: [table.identityId],
      foreignColumns: [oauthIdentities.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'oauth_tokens_key_id_fkey',
      columns: [table.keyId],
      foreignColumns: [encryptionKeys.id],
    }).onDelete('restrict'),
  ],
)
