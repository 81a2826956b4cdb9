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
