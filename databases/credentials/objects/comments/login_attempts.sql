comment on table login_attempts is
  'Audit trail of sign-ins and the source of lock-outs. Append-only; rows leave by retention, not with their user.';
comment on column login_attempts.user_id is
  'users.id of the main database, when the identifier named somebody. No foreign key: the trail outlives the user.';
comment on column login_attempts.identifier_hash is
  'Personal datum. HMAC-SHA-256, under a key of the application, of what was typed as the user name, lower case. Not '
  'the text itself: people type their password there by mistake.';
comment on column login_attempts.outcome is
  'failure counts towards a lock-out. blocked does not: it was refused without looking at the secret.';
comment on column login_attempts.reason is
  'Why it did not succeed. For us, not for the answer to the client, which is the same for all of them.';
comment on column login_attempts.ip is
  'Personal datum: address of the client, for lock-outs and for finding attacks.';
comment on column login_attempts.user_agent is
  'Personal datum: what the client said it is.';
comment on column login_attempts.session_id is
  'Session that a success began. No foreign key: the trail outlives the session.';
