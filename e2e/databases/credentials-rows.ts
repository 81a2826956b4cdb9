/** Ids of what `insertCredentials` fills in: two users, and what belongs to Ada. */
export const ada = 'aaaaaaaa-0000-4000-8000-000000000001'
export const grace = 'aaaaaaaa-0000-4000-8000-000000000002'
export const session = 'bbbbbbbb-0000-4000-8000-000000000001'
export const family = 'cccccccc-0000-4000-8000-000000000001'
export const firstToken = 'dddddddd-0000-4000-8000-000000000001'
export const liveToken = 'dddddddd-0000-4000-8000-000000000002'
export const identity = 'eeeeeeee-0000-4000-8000-000000000001'

/** SQL that fills the credentials database: Ada has one of everything, Grace no password, token or session. */
export const insertCredentials = `
insert into encryption_keys (id, purpose, algorithm)
values ('kms/totp-1', 'totp', 'aes-256-gcm'), ('kms/oauth-1', 'oauth', 'aes-256-gcm');
insert into user_credentials (
  user_id, password_hash, password_salt, password_algorithm, password_parameters, password_changed_at,
  totp_secret_ciphertext, totp_secret_nonce, totp_key_id, totp_enabled, totp_confirmed_at
)
values (
  '${ada}', ${hash(1)}, ${hash(2)}, 'argon2id', '{"memoryKib": 65536}', now(),
  ${hash(3)}, ${nonce(1)}, 'kms/totp-1', true, now()
);
insert into user_credentials (user_id) values ('${grace}');
insert into backup_codes (user_id, code_hash) values ('${ada}', ${hash(4)});
insert into password_tokens (user_id, purpose, token_hash, expires_at) values ('${ada}', 'reset', ${hash(5)}, 'infinity');
insert into verification_tokens (user_id, channel, destination_hash, token_hash, expires_at)
values ('${ada}', 'phone', ${hash(6)}, ${hash(7)}, 'infinity');
insert into oauth_identities (id, user_id, provider, subject) values ('${identity}', '${ada}', 'google', '1234');
insert into oauth_tokens (identity_id, kind, ciphertext, nonce, key_id)
values ('${identity}', 'refresh', ${hash(8)}, ${nonce(2)}, 'kms/oauth-1');
insert into sessions (id, user_id, token_hash, expires_at) values ('${session}', '${ada}', ${hash(9)}, 'infinity');
insert into refresh_tokens (id, session_id, family_id, token_hash, expires_at, used_at)
values ('${firstToken}', '${session}', '${family}', ${hash(10)}, 'infinity', now());
insert into refresh_tokens (id, session_id, family_id, parent_id, token_hash, expires_at)
values ('${liveToken}', '${session}', '${family}', '${firstToken}', ${hash(11)}, 'infinity');
insert into api_keys (user_id, name, prefix, key_hash) values ('${ada}', 'build', 'drv_abcd', ${hash(12)});
insert into login_attempts (user_id, identifier_hash, method, outcome, session_id)
values ('${ada}', ${hash(13)}, 'password', 'success', '${session}');
insert into login_attempts (user_id, identifier_hash, method, outcome, reason, ip)
values ('${ada}', ${hash(13)}, 'password', 'failure', 'mismatch', '192.0.2.1')`

/** SQL for a hash of 32 bytes; another for every number. */
export function hash(number: number): string {
  return `decode(lpad('${number}', 64, '0'), 'hex')`
}

/** SQL for a nonce of 12 bytes; another for every number. */
export function nonce(number: number): string {
  return `decode(lpad('${number}', 24, '0'), 'hex')`
}

/** SQL that inserts a refresh token for which another was exchanged. */
export function successorOf(parent: string, ofFamily: string): string {
  return `insert into refresh_tokens (session_id, family_id, parent_id, token_hash, expires_at)
values ('${session}', '${ofFamily}', '${parent}', ${hash(91)}, 'infinity')`
}
