comment on table user_credentials is
  'How one user of the main database proves who they are. One row a user, also without a password.';
comment on column user_credentials.user_id is
  'users.id of the main database. No foreign key: it is another database.';
comment on column user_credentials.password_hash is
  'Secret. One-way hash of the password by password_algorithm; never the password, never reversible.';
comment on column user_credentials.password_salt is
  'Secret. Random, at least 16 bytes, new with every change of the password. In the clear, as a salt may be; not for '
  'any answer or log.';
comment on column user_credentials.password_parameters is
  'Cost parameters the hash was made with. When they are raised, older hashes are renewed at the next login.';
comment on column user_credentials.must_change_password is
  'The next login ends at a form for a new password.';
comment on column user_credentials.totp_secret_ciphertext is
  'Secret. TOTP seed under authenticated encryption with totp_key_id; user_id is the associated data, so that a '
  'ciphertext copied to another row does not decrypt.';
comment on column user_credentials.totp_secret_nonce is
  'Nonce of totp_secret_ciphertext. Not a secret, but never used twice with one key.';
comment on column user_credentials.totp_key_id is
  'Key that encrypted the TOTP seed.';
comment on column user_credentials.totp_enabled is
  'A code is asked for at login. Only possible once confirmed.';
comment on column user_credentials.totp_confirmed_at is
  'When the user first entered a right code, and so has the seed in a device.';
comment on column user_credentials.totp_last_step is
  'Time step of the last code accepted. A code of this step or an older one is refused: it was seen before.';
comment on column user_credentials.failed_attempts is
  'Failures since the last success. Set back to 0 by it.';
comment on column user_credentials.locked_until is
  'No sign-in before then, right secret or not. Null: not locked.';
