comment on table backup_codes is
  'Codes that stand in for a lost TOTP device; one row a code, each good for one use.';
comment on column backup_codes.code_hash is
  'Secret. HMAC-SHA-256 of user id and code under a key of the application: the codes are short, a bare hash of one '
  'could be guessed.';
