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
