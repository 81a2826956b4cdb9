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
