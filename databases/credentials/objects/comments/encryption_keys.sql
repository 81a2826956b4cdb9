comment on table encryption_keys is
  'Registry of the keys that encrypt columns of this database. It holds no key material: that stays in the key '
  'management service, under the same id.';
comment on column encryption_keys.id is
  'Name of the key in the key management service, version included. Not a secret.';
comment on column encryption_keys.purpose is
  'Which columns the key encrypts: totp or oauth. One key is active for each purpose.';
comment on column encryption_keys.state is
  'active: encrypts and decrypts. decrypt_only: being rotated out. retired: no ciphertext is left under it.';
