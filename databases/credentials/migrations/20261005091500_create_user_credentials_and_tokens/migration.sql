-- How users prove who they are: password, TOTP, backup codes, and the tokens that are sent to them.
--
-- user_id is the id of a user of the main database. That is another database, so no foreign key can hold it: the
-- application deletes the row here when it deletes the user there.

create type encryption_key_state as enum ('active', 'decrypt_only', 'retired');

create type password_token_purpose as enum ('reset', 'change');

create type verification_channel as enum ('email', 'phone');

create table encryption_keys (
  id text not null,
  purpose text not null,
  algorithm text not null,
  state encryption_key_state not null default 'active',
  created_at timestamptz not null default now(),
  retired_at timestamptz,
  constraint encryption_keys_pkey primary key (id),
  constraint encryption_keys_id_check check (id ~ '^[a-z0-9][a-z0-9._/-]{0,99}$'),
  constraint encryption_keys_purpose_check check (purpose in ('totp', 'oauth')),
  constraint encryption_keys_algorithm_check check (algorithm in ('aes-256-gcm', 'xchacha20-poly1305')),
  constraint encryption_keys_retired_at_check check ((state = 'retired') = (retired_at is not null))
);

-- The password columns are null together for users who only sign in through a provider.
create table user_credentials (
  user_id uuid not null,
  password_hash bytea,
  password_salt bytea,
  password_algorithm text,
  password_parameters jsonb,
  password_changed_at timestamptz,
  must_change_password boolean not null default false,
  totp_secret_ciphertext bytea,
  totp_secret_nonce bytea,
  totp_key_id text,
  totp_enabled boolean not null default false,
  totp_confirmed_at timestamptz,
  totp_last_step bigint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_credentials_pkey primary key (user_id),
  constraint user_credentials_password_check
    check (num_nulls(password_hash, password_salt, password_algorithm, password_parameters) in (0, 4)),
  constraint user_credentials_password_changed_at_check
    check ((password_hash is null) = (password_changed_at is null)),
  constraint user_credentials_password_hash_check check (octet_length(password_hash) between 16 and 128),
  constraint user_credentials_password_salt_check check (octet_length(password_salt) between 16 and 64),
  constraint user_credentials_password_algorithm_check
    check (password_algorithm in ('argon2id', 'scrypt', 'bcrypt', 'pbkdf2-sha256')),
  constraint user_credentials_password_parameters_check check (jsonb_typeof(password_parameters) = 'object'),
  constraint user_credentials_totp_secret_check
    check (num_nulls(totp_secret_ciphertext, totp_secret_nonce, totp_key_id) in (0, 3)),
  constraint user_credentials_totp_secret_nonce_check check (octet_length(totp_secret_nonce) in (12, 24)),
  constraint user_credentials_totp_confirmed_at_check
    check (totp_confirmed_at is null or totp_secret_ciphertext is not null),
  constraint user_credentials_totp_enabled_check check (not totp_enabled or totp_confirmed_at is not null),
  -- A nonce used twice with one key breaks the encryption; the index also serves the foreign key.
  constraint user_credentials_totp_nonce_key unique (totp_key_id, totp_secret_nonce),
  constraint user_credentials_totp_key_id_fkey
    foreign key (totp_key_id) references encryption_keys (id) on delete restrict
);

create table backup_codes (
  id bigint generated always as identity,
  user_id uuid not null,
  code_hash bytea not null,
  created_at timestamptz not null default now(),
  used_at timestamptz,
  constraint backup_codes_pkey primary key (id),
  constraint backup_codes_code_hash_check check (octet_length(code_hash) = 32),
  constraint backup_codes_user_id_code_hash_key unique (user_id, code_hash),
  constraint backup_codes_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

create table password_tokens (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  purpose password_token_purpose not null,
  token_hash bytea not null,
  attempts integer not null default 0,
  max_attempts integer not null default 5,
  requested_ip inet,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  constraint password_tokens_pkey primary key (id),
  constraint password_tokens_token_hash_check check (octet_length(token_hash) = 32),
  constraint password_tokens_attempts_check check (attempts between 0 and max_attempts),
  constraint password_tokens_expires_at_check check (expires_at > created_at),
  constraint password_tokens_outcome_check check (num_nonnulls(used_at, revoked_at) <= 1),
  constraint password_tokens_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

create table verification_tokens (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  channel verification_channel not null,
  destination_hash bytea not null,
  token_hash bytea not null,
  attempts integer not null default 0,
  max_attempts integer not null default 5,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  constraint verification_tokens_pkey primary key (id),
  constraint verification_tokens_destination_hash_check check (octet_length(destination_hash) = 32),
  constraint verification_tokens_token_hash_check check (octet_length(token_hash) = 32),
  constraint verification_tokens_attempts_check check (attempts between 0 and max_attempts),
  constraint verification_tokens_expires_at_check check (expires_at > created_at),
  constraint verification_tokens_outcome_check check (num_nonnulls(used_at, revoked_at) <= 1),
  constraint verification_tokens_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

-- One key encrypts for a purpose; the others only decrypt what they once encrypted.
create unique index encryption_keys_active_purpose_key
  on encryption_keys (purpose)
  where state = 'active';

create unique index password_tokens_token_hash_key
  on password_tokens (token_hash);

-- Asking again revokes the token before: two open ones would double the guesses.
create unique index password_tokens_open_key
  on password_tokens (user_id, purpose)
  where used_at is null and revoked_at is null;

create index password_tokens_user_id_idx
  on password_tokens (user_id);

create index password_tokens_expires_at_idx
  on password_tokens (expires_at);

create unique index verification_tokens_token_hash_key
  on verification_tokens (token_hash);

create unique index verification_tokens_open_key
  on verification_tokens (user_id, channel)
  where used_at is null and revoked_at is null;

create index verification_tokens_user_id_idx
  on verification_tokens (user_id);

create index verification_tokens_expires_at_idx
  on verification_tokens (expires_at);

create function set_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger user_credentials_set_updated_at
  before update on user_credentials
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();

comment on function set_updated_at() is
  'Trigger function: stamps updated_at with the time of the transaction.';

comment on table encryption_keys is
  'Registry of the keys that encrypt columns of this database. It holds no key material: that stays in the key '
  'management service, under the same id.';
comment on column encryption_keys.id is
  'Name of the key in the key management service, version included. Not a secret.';
comment on column encryption_keys.purpose is
  'Which columns the key encrypts: totp or oauth. One key is active for each purpose.';
comment on column encryption_keys.state is
  'active: encrypts and decrypts. decrypt_only: being rotated out. retired: no ciphertext is left under it.';

comment on table user_credentials is
  'How one user of the main database proves who they are. One row a user, also without a password.';
comment on column user_credentials.user_id is
  'users.id of the main database. No foreign key: it is another database.';
comment on column user_credentials.password_hash is
  'Secret. One-way hash of the password by password_algorithm; never the password, never reversible.';
comment on column user_credentials.password_salt is
  'Secret. Random, at least 16 bytes, new with every change of the password. In the clear, as a salt may be; not for '
  'any answer or log.';
comment on column user_credentials.password_parameters is
  'Cost parameters the hash was made with. When they are raised, older hashes are renewed at the next login.';
comment on column user_credentials.must_change_password is
  'The next login ends at a form for a new password.';
comment on column user_credentials.totp_secret_ciphertext is
  'Secret. TOTP seed under authenticated encryption with totp_key_id; user_id is the associated data, so that a '
  'ciphertext copied to another row does not decrypt.';
comment on column user_credentials.totp_secret_nonce is
  'Nonce of totp_secret_ciphertext. Not a secret, but never used twice with one key.';
comment on column user_credentials.totp_key_id is
  'Key that encrypted the TOTP seed.';
comment on column user_credentials.totp_enabled is
  'A code is asked for at login. Only possible once confirmed.';
comment on column user_credentials.totp_confirmed_at is
  'When the user first entered a right code, and so has the seed in a device.';
comment on column user_credentials.totp_last_step is
  'Time step of the last code accepted. A code of this step or an older one is refused: it was seen before.';

comment on table backup_codes is
  'Codes that stand in for a lost TOTP device; one row a code, each good for one use.';
comment on column backup_codes.code_hash is
  'Secret. HMAC-SHA-256 of user id and code under a key of the application: the codes are short, a bare hash of one '
  'could be guessed.';

comment on table password_tokens is
  'Permissions, sent by mail and good for one use, to set a new password.';
comment on column password_tokens.purpose is
  'reset: the user forgot the password. change: a signed-in user confirms a change.';
comment on column password_tokens.token_hash is
  'Secret. SHA-256 of the token: 32 random bytes, which need no salt. The token itself is only in the mail.';
comment on column password_tokens.attempts is
  'Failed tries with this token. At max_attempts it is dead.';
comment on column password_tokens.requested_ip is
  'Personal datum: from where it was asked for, told to the user in the mail. Goes with the row, after expires_at.';

comment on table verification_tokens is
  'Proofs, good for one use, that an e-mail address or a phone number belongs to the user.';
comment on column verification_tokens.destination_hash is
  'Personal datum. HMAC-SHA-256 of the address or number under a key of the application. The proof counts for that '
  'destination alone, not for one that the user entered since.';
comment on column verification_tokens.token_hash is
  'Secret. For email the SHA-256 of 32 random bytes; for phone the HMAC-SHA-256 of row id and code under a key of the '
  'application, because six digits can be guessed from a bare hash.';
comment on column verification_tokens.attempts is
  'Failed tries with this token. At max_attempts it is dead.';
