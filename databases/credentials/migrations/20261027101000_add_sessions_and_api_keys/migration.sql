-- Staying signed in: sessions, rotating refresh tokens, and API keys for programs.
--
-- A refresh token is exchanged once for its successor. The chain since sign-in is a family; a token of it that comes a
-- second time is a stolen copy, or its thief was first: either way the application revokes the family and its session.

create table sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  token_hash bytea not null,
  ip inet,
  user_agent text,
  mfa_verified_at timestamptz,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text,
  constraint sessions_pkey primary key (id),
  constraint sessions_token_hash_check check (octet_length(token_hash) = 32),
  constraint sessions_user_agent_check check (char_length(user_agent) <= 1000),
  constraint sessions_expires_at_check check (expires_at > created_at),
  constraint sessions_revoked_reason_check
    check (revoked_reason in ('logout', 'password_changed', 'token_reused', 'administrator')),
  constraint sessions_revoked_check check ((revoked_at is null) = (revoked_reason is null)),
  constraint sessions_token_hash_key unique (token_hash),
  constraint sessions_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

create table refresh_tokens (
  id uuid not null default gen_random_uuid(),
  session_id uuid not null,
  family_id uuid not null,
  parent_id uuid,
  token_hash bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  reuse_detected_at timestamptz,
  constraint refresh_tokens_pkey primary key (id),
  constraint refresh_tokens_token_hash_check check (octet_length(token_hash) = 32),
  constraint refresh_tokens_parent_id_check check (parent_id <> id),
  constraint refresh_tokens_expires_at_check check (expires_at > created_at),
  constraint refresh_tokens_reuse_detected_at_check
    check (reuse_detected_at is null or (used_at is not null and revoked_at is not null)),
  constraint refresh_tokens_token_hash_key unique (token_hash),
  -- What the foreign key below refers to: a parent is of the same family and session.
  constraint refresh_tokens_id_family_id_session_id_key unique (id, family_id, session_id),
  -- One successor each: of two exchanges at the same moment, one fails.
  constraint refresh_tokens_parent_id_key unique (parent_id),
  constraint refresh_tokens_session_id_fkey
    foreign key (session_id) references sessions (id) on delete cascade,
  -- No action on delete: a family is deleted as a whole, by its session, or reuse of its old tokens would go unseen.
  constraint refresh_tokens_parent_id_fkey
    foreign key (parent_id, family_id, session_id) references refresh_tokens (id, family_id, session_id)
);

create table api_keys (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  name text not null,
  prefix text not null,
  key_hash bytea not null,
  scopes text[] not null default '{}',
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  last_used_ip inet,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint api_keys_pkey primary key (id),
  constraint api_keys_name_check check (char_length(name) between 1 and 100),
  constraint api_keys_prefix_check check (prefix ~ '^[A-Za-z0-9_]{6,32}$'),
  constraint api_keys_key_hash_check check (octet_length(key_hash) = 32),
  constraint api_keys_expires_at_check check (expires_at > created_at),
  constraint api_keys_prefix_key unique (prefix),
  constraint api_keys_key_hash_key unique (key_hash),
  constraint api_keys_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

create index sessions_user_id_idx
  on sessions (user_id);

create index sessions_expires_at_idx
  on sessions (expires_at);

-- A family has one beginning, and at any time at most one token that can still be exchanged.
create unique index refresh_tokens_family_id_root_key
  on refresh_tokens (family_id)
  where parent_id is null;

create unique index refresh_tokens_family_id_live_key
  on refresh_tokens (family_id)
  where used_at is null and revoked_at is null;

create index refresh_tokens_family_id_idx
  on refresh_tokens (family_id);

create index refresh_tokens_session_id_idx
  on refresh_tokens (session_id);

create index refresh_tokens_expires_at_idx
  on refresh_tokens (expires_at);

create index api_keys_user_id_idx
  on api_keys (user_id);

comment on table sessions is
  'Devices on which a user is signed in.';
comment on column sessions.token_hash is
  'Secret. SHA-256 of the session token: 32 random bytes, which need no salt. The token itself is only in the cookie.';
comment on column sessions.ip is
  'Personal datum: where the session began, shown to the user in the list of devices.';
comment on column sessions.user_agent is
  'Personal datum: names the device in that list.';
comment on column sessions.mfa_verified_at is
  'When a second factor was last shown in this session; actions that need a fresh one ask for it again.';

comment on table refresh_tokens is
  'Refresh tokens of a session, each exchanged once for its successor.';
comment on column refresh_tokens.family_id is
  'The chain that began with one sign-in. Revoked as a whole.';
comment on column refresh_tokens.parent_id is
  'The token this one was exchanged for; null for the first of a family.';
comment on column refresh_tokens.token_hash is
  'Secret. SHA-256 of the token: 32 random bytes, which need no salt. The token itself is only with the client.';
comment on column refresh_tokens.used_at is
  'When it was exchanged. Presented again after that, it is a copy.';
comment on column refresh_tokens.reuse_detected_at is
  'When it was presented a second time, which revoked its family.';

comment on table api_keys is
  'Keys with which a user''s programs call the API.';
comment on column api_keys.prefix is
  'The beginning of the key, by which people and logs name it. Not a secret.';
comment on column api_keys.key_hash is
  'Secret. SHA-256 of the whole key: at least 32 random bytes, which need no salt. The key itself is shown once, at '
  'creation.';
comment on column api_keys.last_used_ip is
  'Personal datum: lets the owner see a use that is not theirs.';
comment on column api_keys.expires_at is
  'Null: until revoked.';
