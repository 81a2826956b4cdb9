-- Destroys every password hash, TOTP seed and backup code: nobody can sign in any more, and nothing but a backup brings
-- them back. The keys named in encryption_keys are not touched; which key encrypted what is forgotten.

-- Lost: open requests to verify an address or to set a password.
drop table verification_tokens;
drop table password_tokens;

-- Lost: backup codes, used and unused.
drop table backup_codes;

-- Lost: passwords and TOTP seeds.
drop table user_credentials;

-- Lost: the registry of keys.
drop table encryption_keys;

drop function set_updated_at();

drop type verification_channel;
drop type password_token_purpose;
drop type encryption_key_state;
