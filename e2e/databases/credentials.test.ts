import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import {
  ada,
  family,
  firstToken,
  grace,
  hash,
  identity,
  insertCredentials,
  liveToken,
  nonce,
  session,
  successorOf,
} from './credentials-rows.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'
import { readColumns, readCommentedColumns, readEnums } from './schema-facts.ts'

/** What has to be held, and the columns by which services work with it. */
const tables: Readonly<Record<string, readonly string[]>> = {
  encryption_keys: ['id', 'purpose', 'algorithm', 'state', 'retired_at'],
  user_credentials: [
    'user_id',
    'password_hash',
    'password_salt',
    'password_algorithm',
    'password_parameters',
    'password_changed_at',
    'totp_secret_ciphertext',
    'totp_secret_nonce',
    'totp_key_id',
    'totp_enabled',
    'failed_attempts',
    'last_failed_at',
    'locked_until',
  ],
  backup_codes: ['user_id', 'code_hash', 'used_at'],
  password_tokens: [
    'user_id',
    'purpose',
    'token_hash',
    'attempts',
    'max_attempts',
    'expires_at',
    'used_at',
    'revoked_at',
  ],
  verification_tokens: [
    'user_id',
    'channel',
    'destination_hash',
    'token_hash',
    'attempts',
    'max_attempts',
    'expires_at',
    'used_at',
    'revoked_at',
  ],
  oauth_identities: ['user_id', 'provider', 'protocol', 'subject'],
  oauth_tokens: ['identity_id', 'kind', 'ciphertext', 'nonce', 'key_id', 'scopes', 'expires_at'],
  sessions: ['user_id', 'token_hash', 'last_seen_at', 'expires_at', 'revoked_at', 'revoked_reason'],
  refresh_tokens: [
    'session_id',
    'family_id',
    'parent_id',
    'token_hash',
    'expires_at',
    'used_at',
    'revoked_at',
    'reuse_detected_at',
  ],
  api_keys: ['user_id', 'name', 'prefix', 'key_hash', 'scopes', 'last_used_at', 'expires_at', 'revoked_at'],
  login_attempts: ['at', 'user_id', 'identifier_hash', 'method', 'outcome', 'reason', 'ip', 'user_agent', 'session_id'],
}

let credentials: MigratedDatabase
beforeAll(async () => {
  credentials = await migrateToHead('credentials', insertCredentials)
  return () => credentials[Symbol.asyncDispose]()
})

describe('what services need is there', () => {
  test.each(Object.entries(tables))('%s', async (table, columns) => {
    expect(await readColumns(credentials.owner, table)).toEqual(expect.arrayContaining([...columns]))
  })

  test('closed sets of values', async () => {
    expect(await readEnums(credentials.owner)).toEqual({
      encryption_key_state: ['active', 'decrypt_only', 'retired'],
      identity_protocol: ['oauth2', 'oidc', 'saml'],
      login_method: ['password', 'totp', 'backup_code', 'oauth', 'refresh_token', 'api_key'],
      login_outcome: ['success', 'failure', 'blocked'],
      oauth_token_kind: ['access', 'refresh', 'id'],
      password_token_purpose: ['reset', 'change'],
      verification_channel: ['email', 'phone'],
    })
  })
})

describe('no secret is stored as it is', () => {
  test('bytes are hashes, salts, ciphertexts or nonces, and each says so', async () => {
    const columns = (await readCommentedColumns(credentials.owner)).filter(({ type }) => type === 'bytea')

    expect(columns.length).toBeGreaterThan(12)
    for (const { name, comment } of columns) {
      expect({ name, comment }).toEqual({ name, comment: expect.stringMatching(saysHowItIsKept(name)) })
    }
  })

  test('no other column is named like a secret, but those that only describe one', async () => {
    const suspicious = (await readCommentedColumns(credentials.owner))
      .filter(({ type }) => /text|char|json/.test(type))
      .map(({ name }) => name)
      .filter((name) => /\.(?:.*_)?(?:password|secret|seed|totp|code|token|key|pin|otp|salt|credential)/.test(name))

    expect(suspicious).toEqual([
      'oauth_tokens.key_id',
      'user_credentials.password_algorithm',
      'user_credentials.password_parameters',
      'user_credentials.totp_key_id',
    ])
  })

  test.each([
    ['backup_codes', 'code_hash'],
    ['password_tokens', 'token_hash'],
    ['verification_tokens', 'token_hash'],
    ['verification_tokens', 'destination_hash'],
    ['sessions', 'token_hash'],
    ['refresh_tokens', 'token_hash'],
    ['api_keys', 'key_hash'],
  ])('%s.%s takes the 32 bytes of a hash and not the secret itself', async (table, column) => {
    const set = (value: string) => refusalOf(credentials.owner, `update ${table} set ${column} = ${value}`)

    expect(await set(`'correct horse battery staple'`)).toBe(`${table}_${column}_check`)
    expect(await set(`''`)).toBe(`${table}_${column}_check`)
  })

  test('an attempt is recorded with the hash of what was typed, which may have been the password', async () => {
    expect(await attemptAs(hash(1))).toBe('accepted')
    expect(await attemptAs(`'ada@acme.example'`)).toBe('login_attempts_identifier_hash_check')
  })
})

/** What may not be: the name of the rule or the SQLSTATE, and the statement that it refuses. */
const refused: Readonly<Record<string, readonly (readonly [rule: string, statement: string])[]>> = {
  'passwords and second factors': [
    ['user_credentials_password_check', `update user_credentials set password_salt = null where user_id = '${ada}'`],
    [
      'user_credentials_password_check',
      `update user_credentials set password_hash = ${hash(90)}, password_changed_at = now() where user_id = '${grace}'`,
    ],
    [
      'user_credentials_password_salt_check',
      `update user_credentials set password_salt = 'salt' where user_id = '${ada}'`,
    ],
    [
      'user_credentials_password_algorithm_check',
      `update user_credentials set password_algorithm = 'md5' where user_id = '${ada}'`,
    ],
    ['user_credentials_totp_secret_check', `update user_credentials set totp_key_id = null where user_id = '${ada}'`],
    [
      'user_credentials_totp_enabled_check',
      `update user_credentials set totp_enabled = true where user_id = '${grace}'`,
    ],
    [
      'backup_codes_user_id_code_hash_key',
      `insert into backup_codes (user_id, code_hash) values ('${ada}', ${hash(4)})`,
    ],
  ],
  'keys and nonces': [
    [
      'user_credentials_totp_nonce_key',
      `update user_credentials set totp_secret_ciphertext = ${hash(90)}, totp_secret_nonce = ${nonce(1)}, totp_key_id = 'kms/totp-1' where user_id = '${grace}'`,
    ],
    [
      'oauth_tokens_key_id_nonce_key',
      `insert into oauth_tokens (identity_id, kind, ciphertext, nonce, key_id) values ('${identity}', 'access', ${hash(90)}, ${nonce(2)}, 'kms/oauth-1')`,
    ],
    ['oauth_tokens_nonce_check', `update oauth_tokens set nonce = 'short'`],
    ['oauth_tokens_key_id_fkey', `update oauth_tokens set key_id = 'kms/none'`],
    ['oauth_tokens_key_id_fkey', `delete from encryption_keys where id = 'kms/oauth-1'`],
    ['user_credentials_totp_key_id_fkey', `delete from encryption_keys where id = 'kms/totp-1'`],
    [
      'encryption_keys_active_purpose_key',
      `insert into encryption_keys (id, purpose, algorithm) values ('kms/totp-2', 'totp', 'aes-256-gcm')`,
    ],
    ['encryption_keys_algorithm_check', `update encryption_keys set algorithm = 'rot13'`],
    ['encryption_keys_retired_at_check', `update encryption_keys set state = 'retired'`],
  ],
  'tokens sent to people': [
    [
      'password_tokens_open_key',
      `insert into password_tokens (user_id, purpose, token_hash, expires_at) values ('${ada}', 'reset', ${hash(90)}, 'infinity')`,
    ],
    [
      'password_tokens_token_hash_key',
      `insert into password_tokens (user_id, purpose, token_hash, expires_at) values ('${grace}', 'reset', ${hash(5)}, 'infinity')`,
    ],
    ['password_tokens_attempts_check', 'update password_tokens set attempts = max_attempts + 1'],
    ['password_tokens_expires_at_check', 'update password_tokens set expires_at = created_at'],
    ['password_tokens_outcome_check', 'update password_tokens set used_at = now(), revoked_at = now()'],
    [
      'verification_tokens_open_key',
      `insert into verification_tokens (user_id, channel, destination_hash, token_hash, expires_at) values ('${ada}', 'phone', ${hash(6)}, ${hash(90)}, 'infinity')`,
    ],
    ['verification_tokens_attempts_check', 'update verification_tokens set attempts = -1'],
  ],
  'accounts at providers': [
    [
      'oauth_identities_provider_subject_key',
      `insert into oauth_identities (user_id, provider, subject) values ('${grace}', 'google', '1234')`,
    ],
    [
      'oauth_identities_user_id_provider_key',
      `insert into oauth_identities (user_id, provider, subject) values ('${ada}', 'google', '5678')`,
    ],
  ],
  'sessions, refresh tokens and api keys': [
    [
      'sessions_token_hash_key',
      `insert into sessions (user_id, token_hash, expires_at) values ('${grace}', ${hash(9)}, 'infinity')`,
    ],
    ['sessions_revoked_check', 'update sessions set revoked_at = now()'],
    ['sessions_expires_at_check', 'update sessions set expires_at = created_at'],
    // The one before was not exchanged, but revived: two would be alive.
    ['refresh_tokens_family_id_live_key', `update refresh_tokens set used_at = null where id = '${firstToken}'`],
    ['refresh_tokens_family_id_live_key', successorOf(liveToken, family)],
    ['refresh_tokens_parent_id_key', successorOf(firstToken, family)],
    ['refresh_tokens_parent_id_fkey', successorOf(liveToken, 'cccccccc-0000-4000-8000-000000000002')],
    [
      'refresh_tokens_family_id_root_key',
      `insert into refresh_tokens (session_id, family_id, token_hash, expires_at, used_at) values ('${session}', '${family}', ${hash(90)}, 'infinity', now())`,
    ],
    ['refresh_tokens_parent_id_fkey', `delete from refresh_tokens where id = '${firstToken}'`],
    [
      'api_keys_key_hash_key',
      `insert into api_keys (user_id, name, prefix, key_hash) values ('${grace}', 'x', 'drv_efgh', ${hash(12)})`,
    ],
    [
      'api_keys_prefix_key',
      `insert into api_keys (user_id, name, prefix, key_hash) values ('${grace}', 'x', 'drv_abcd', ${hash(90)})`,
    ],
  ],
  attempts: [
    [
      'login_attempts_outcome_check',
      `insert into login_attempts (method, outcome, reason) values ('password', 'success', 'mismatch')`,
    ],
    ['login_attempts_outcome_check', `insert into login_attempts (method, outcome) values ('password', 'failure')`],
    ['user_credentials_failed_attempts_check', 'update user_credentials set failed_attempts = -1'],
  ],
}

describe.each(Object.entries(refused))('%s', (_, statements) => {
  test.each(statements)('%s refuses: %s', async (rule, statement) => {
    expect(await refusalOf(credentials.owner, statement)).toBe(rule)
  })
})

test('a refresh token is exchanged for its successor, which is then the only one alive', async () => {
  const exchange = `update refresh_tokens set used_at = now() where id = '${liveToken}';
${successorOf(liveToken, family)}`

  expect(
    await query(
      credentials.application,
      `begin; ${exchange}; select parent_id from refresh_tokens where used_at is null and revoked_at is null`,
    ),
  ).toEqual([{ parent_id: liveToken }])
})

test('a key is rotated: the old one decrypts, the new one encrypts', async () => {
  const rotate = `update encryption_keys set state = 'decrypt_only' where id = 'kms/totp-1';
insert into encryption_keys (id, purpose, algorithm) values ('kms/totp-2', 'totp', 'aes-256-gcm');
update user_credentials set totp_key_id = 'kms/totp-2' where user_id = '${ada}';
update encryption_keys set state = 'retired', retired_at = now() where id = 'kms/totp-1'`

  expect(await refusalOf(credentials.application, rotate)).toBe('accepted')
})

test('login_attempts is append-only, for its owner as well, and leaves by retention', async () => {
  for (const login of ['application', 'owner'] as const) {
    const url = credentials[login]
    const restrictViolation = '23001'
    expect(await refusalOf(url, `update login_attempts set outcome = 'success', reason = null`)).toBe(restrictViolation)
    expect(await refusalOf(url, `update login_attempts set user_id = null where false`)).toBe(restrictViolation)
    expect(
      await refusalOf(
        url,
        `insert into login_attempts overriding system value select * from login_attempts limit 1 on conflict (id) do update set user_id = null`,
      ),
    ).toBe(restrictViolation)
    expect(await refusalOf(url, `delete from login_attempts where at < now() - interval '1 year'`)).toBe('accepted')
  }
})

test('deleting a user takes along everything of theirs but the audit trail', async () => {
  const owned = Object.keys(tables).filter((table) => !['encryption_keys', 'login_attempts'].includes(table))
  const count = owned.map((table) => `select '${table}' as table, count(*)::integer from ${table}`).join('\nunion all ')

  for (const row of await query(credentials.owner, count)) expect(row['count']).toBeGreaterThan(0)
  const left = await query(
    credentials.application,
    `begin; delete from user_credentials where user_id = '${ada}'; ${count} order by 1`,
  )
  const trail = await query(
    credentials.application,
    `
begin;
delete from user_credentials where user_id = '${ada}';
select user_id, session_id, outcome from login_attempts order by id`,
  )

  expect(left).toEqual(owned.toSorted().map((table) => ({ table, count: table === 'user_credentials' ? 1 : 0 })))
  expect(trail).toEqual([
    { user_id: ada, session_id: session, outcome: 'success' },
    { user_id: ada, session_id: null, outcome: 'failure' },
  ])
})

test('nobody is locked out to begin with, and a lock says until when', async () => {
  const lock = `update user_credentials set failed_attempts = 5, last_failed_at = now(), locked_until = now() + interval '15 minutes'
where user_id = '${ada}'
returning locked_until > now() as locked`

  expect(
    await query(credentials.owner, 'select failed_attempts, last_failed_at, locked_until from user_credentials'),
  ).toEqual(Array.from({ length: 2 }, () => ({ failed_attempts: 0, last_failed_at: null, locked_until: null })))
  expect(await query(credentials.application, `begin; ${lock}`)).toEqual([{ locked: true }])
})

test('everything that is good for a while only has to say for how long', async () => {
  const expiring = await queryColumn(
    credentials.owner,
    `
select relname || case when attnotnull then '' else ' (or for ever)' end
from pg_attribute
join pg_class on pg_class.oid = attrelid
where relnamespace = 'public'::regnamespace and relkind = 'r' and attname = 'expires_at'
order by 1`,
  )

  expect(expiring).toEqual([
    'api_keys (or for ever)',
    'oauth_tokens (or for ever)',
    'password_tokens',
    'refresh_tokens',
    'sessions',
    'verification_tokens',
  ])
})

test('updated_at moves with a change, and only with one', async () => {
  expect(await afterUpdate('must_change_password = true')).toEqual([{ moved: true }])
  expect(await afterUpdate('must_change_password = must_change_password')).toEqual([{ moved: false }])
})

/** Records an attempt and takes it back; `identifier` as SQL. Tells what refused it. */
function attemptAs(identifier: string): Promise<string> {
  return refusalOf(
    credentials.owner,
    `insert into login_attempts (identifier_hash, method, outcome) values (${identifier}, 'password', 'success')`,
  )
}

/** Whether updated_at is the time of a change, on rows that were last changed long ago. */
function afterUpdate(change: string): Promise<readonly object[]> {
  return query(
    credentials.owner,
    `
begin;
alter table user_credentials disable trigger user;
update user_credentials set updated_at = '2001-01-01';
alter table user_credentials enable trigger user;
update user_credentials set ${change};
select distinct updated_at = now() as moved from user_credentials`,
  )
}

/** What the comment of a column of bytes has to say, by the kind of bytes that its name promises. */
function saysHowItIsKept(column: string): RegExp {
  if (column.endsWith('_hash')) return /SHA-256|One-way hash/
  if (column.endsWith('_salt')) return /Random/
  if (column.endsWith('ciphertext')) return /under authenticated encryption with (?:totp_)?key_id/
  if (column.endsWith('nonce')) return /never used twice with one key/
  throw new Error(`${column} holds bytes of a kind that has no name`)
}
