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
