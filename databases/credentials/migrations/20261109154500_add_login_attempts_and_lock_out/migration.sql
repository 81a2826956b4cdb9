-- The audit trail of sign-ins, and locking an account out after too many that failed.
--
-- login_attempts has no foreign keys on purpose: it outlives the user and the session that it names. The counters on
-- user_credentials have defaults, so users who exist already start with no failures.

create type login_method as enum ('password', 'totp', 'backup_code', 'oauth', 'refresh_token', 'api_key');

create type login_outcome as enum ('success', 'failure', 'blocked');

-- user_agent has no limit on purpose: whatever a client sends, its attempt is counted.
create table login_attempts (
  id bigint generated always as identity,
  at timestamptz not null default now(),
  user_id uuid,
  identifier_hash bytea,
  method login_method not null,
  outcome login_outcome not null,
  reason text,
  ip inet,
  user_agent text,
  session_id uuid,
  constraint login_attempts_pkey primary key (id),
  constraint login_attempts_identifier_hash_check check (octet_length(identifier_hash) = 32),
  constraint login_attempts_reason_check
    check (reason in ('unknown_user', 'mismatch', 'expired', 'revoked', 'reused', 'locked', 'throttled', 'disabled')),
  constraint login_attempts_outcome_check check ((outcome = 'success') = (reason is null)),
  constraint login_attempts_session_id_check check (session_id is null or outcome = 'success')
);

alter table user_credentials
  add column failed_attempts integer not null default 0,
  add column last_failed_at timestamptz,
  add column locked_until timestamptz,
  add constraint user_credentials_failed_attempts_check check (failed_attempts >= 0);

-- The three lock-out windows: what happened lately to this account, under this identifier, from this address.
create index login_attempts_user_id_at_idx
  on login_attempts (user_id, at)
  where user_id is not null;

create index login_attempts_identifier_hash_failed_at_idx
  on login_attempts (identifier_hash, at)
  where outcome = 'failure' and identifier_hash is not null;

create index login_attempts_ip_failed_at_idx
  on login_attempts (ip, at)
  where outcome = 'failure' and ip is not null;

-- Rows arrive in the order of time: for retention a BRIN index is enough, and next to nothing in size.
create index login_attempts_at_idx
  on login_attempts using brin (at);

create index user_credentials_locked_until_idx
  on user_credentials (locked_until)
  where locked_until is not null;

create function refuse_update_of_login_attempts() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception 'login_attempts is append-only'
    using errcode = 'restrict_violation', hint = 'Record a new attempt; old rows may only be deleted by retention.';
end
$$;

create trigger login_attempts_refuse_update
  before update on login_attempts
  for each statement
  execute function refuse_update_of_login_attempts();

comment on function refuse_update_of_login_attempts() is
  'Trigger function: keeps the audit trail append-only.';

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

comment on column user_credentials.failed_attempts is
  'Failures since the last success. Set back to 0 by it.';
comment on column user_credentials.locked_until is
  'No sign-in before then, right secret or not. Null: not locked.';
