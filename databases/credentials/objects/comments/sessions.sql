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
