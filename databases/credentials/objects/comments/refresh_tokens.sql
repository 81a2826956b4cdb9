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
