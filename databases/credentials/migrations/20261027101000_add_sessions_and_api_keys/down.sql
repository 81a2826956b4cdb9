-- Lost: all API keys. Programs that use one are refused, and a key cannot be made again.
drop table api_keys;

-- Lost: who is signed in, and on what device. Everybody has to sign in again.
drop table refresh_tokens;
drop table sessions;
