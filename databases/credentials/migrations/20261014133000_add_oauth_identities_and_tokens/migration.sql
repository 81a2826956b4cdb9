-- Signing in through other providers, and the tokens they issue to us.
--
-- A provider is a row's value and not a column (google_user_id), so that the next one needs no revision. A token is a
-- row of its own with a nonce of its own: one nonce for several ciphertexts would break the encryption of all of them.

create type identity_protocol as enum ('oauth2', 'oidc', 'saml');

create type oauth_token_kind as enum ('access', 'refresh', 'id');

create table oauth_identities (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  provider text not null,
  protocol identity_protocol not null default 'oidc',
  subject text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_login_at timestamptz,
  constraint oauth_identities_pkey primary key (id),
  constraint oauth_identities_provider_check check (provider ~ '^[a-z][a-z0-9:_-]{0,99}$'),
  constraint oauth_identities_subject_check check (char_length(subject) between 1 and 255),
  constraint oauth_identities_provider_subject_key unique (provider, subject),
  constraint oauth_identities_user_id_provider_key unique (user_id, provider),
  constraint oauth_identities_user_id_fkey
    foreign key (user_id) references user_credentials (user_id) on delete cascade
);

create table oauth_tokens (
  id uuid not null default gen_random_uuid(),
  identity_id uuid not null,
  kind oauth_token_kind not null,
  ciphertext bytea not null,
  nonce bytea not null,
  key_id text not null,
  scopes text[] not null default '{}',
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint oauth_tokens_pkey primary key (id),
  constraint oauth_tokens_nonce_check check (octet_length(nonce) in (12, 24)),
  constraint oauth_tokens_identity_id_kind_key unique (identity_id, kind),
  constraint oauth_tokens_key_id_nonce_key unique (key_id, nonce),
  constraint oauth_tokens_identity_id_fkey
    foreign key (identity_id) references oauth_identities (id) on delete cascade,
  constraint oauth_tokens_key_id_fkey
    foreign key (key_id) references encryption_keys (id) on delete restrict
);

create trigger oauth_identities_set_updated_at
  before update on oauth_identities
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();

create trigger oauth_tokens_set_updated_at
  before update on oauth_tokens
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();

comment on table oauth_identities is
  'Accounts at other providers with which a user may sign in, OAuth and single sign-on alike.';
comment on column oauth_identities.provider is
  'google, apple, … or the single sign-on of one customer: saml:acme.';
comment on column oauth_identities.subject is
  'Personal datum. The provider''s own stable id of the user (OpenID Connect: sub; for google the Google user id). '
  'Never the e-mail address, which changes hands.';

comment on table oauth_tokens is
  'Tokens that a provider issued to us for an identity; the newest of each kind.';
comment on column oauth_tokens.ciphertext is
  'Secret. The token under authenticated encryption with key_id; identity_id and kind are the associated data, so that '
  'a ciphertext copied to another row does not decrypt.';
comment on column oauth_tokens.nonce is
  'Nonce of ciphertext. Not a secret, but never used twice with one key.';
comment on column oauth_tokens.key_id is
  'Key that encrypted the token.';
comment on column oauth_tokens.scopes is
  'What the provider granted, which may be less than was asked for.';
comment on column oauth_tokens.expires_at is
  'Null when the provider does not say, as for most refresh tokens.';
