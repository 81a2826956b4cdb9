-- Consents and audit entries are evidence: from here on the database refuses to change them. Each audit entry carries a
-- hash of its content and of the entry before it, so that a change made around the triggers shows.

create function audit_log_digest(salt uuid, parts text[]) returns bytea
  language sql
  immutable
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(jsonb_build_array(salt, to_jsonb(parts))::text, 'UTF8'))
$$;
--> statement-breakpoint
create function chain_audit_log() returns trigger
  language plpgsql
  -- Who may only add to the trail need not be able to read it.
  security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- One at a time until the transaction ends, so that two entries never follow the same one.
  perform pg_advisory_xact_lock(hashtextextended('audit_logs', 0));

  select last.sequence + 1, last.hash
  into new.sequence, new.previous_hash
  from public.audit_logs as last
  order by last.sequence desc
  limit 1;
  if not found then
    new.sequence := 1;
    new.previous_hash := '';
  end if;

  new.actor_salt := gen_random_uuid();
  new.actor_digest :=
    public.audit_log_digest(new.actor_salt, array[new.user_id, new.ip_address::text, new.user_agent]);
  new.resource_salt := gen_random_uuid();
  new.resource_digest := public.audit_log_digest(new.resource_salt, array[new.resource_id]);
  new.hash := public.audit_log_hash(new);
  return new;
end
$$;
--> statement-breakpoint
create function keep_audit_log() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  erasing constant boolean := public.is_erasing(tg_relid, old.user_id) or public.is_erasing(tg_relid, old.resource_id);
  may_change constant text[] := array['archived_at'] || case
    when erasing then array['user_id', 'ip_address', 'user_agent', 'actor_salt', 'resource_id', 'resource_salt']
    else array[]::text[]
  end;
begin
  if tg_op = 'UPDATE' then
    if to_jsonb(new) - may_change = to_jsonb(old) - may_change then
      return new;
    end if;
    raise exception 'audit_logs: an entry does not change'
      using errcode = 'integrity_constraint_violation', hint = 'only archived_at may be set; add an entry that corrects it';
  end if;

  -- From the oldest on, so that what is left is one chain.
  if old.timestamp < now() - interval '7 years' and not exists (
    select
    from public.audit_logs as earlier
    where earlier.sequence < old.sequence
      and earlier.timestamp >= now() - interval '7 years'
  ) then
    return old;
  end if;
  raise exception 'audit_logs: an entry is kept for 7 years, and as long as one before it is'
    using errcode = 'integrity_constraint_violation', hint = 'delete the entries whose 7 years are over, from the oldest on';
end
$$;
--> statement-breakpoint
create function keep_consent() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if old.withdrawn_at is null and to_jsonb(new) - 'withdrawn_at' = to_jsonb(old) - 'withdrawn_at' then
    return new;
  end if;
  raise exception 'consent_records: what was recorded does not change'
    using errcode = 'integrity_constraint_violation', hint = 'add a row for the new decision; withdrawn_at may be set once';
end
$$;
--> statement-breakpoint
create function only_erase() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if public.is_erasing(tg_relid, old.user_id) then
    return old;
  end if;
  raise exception '%: rows are deleted by erase_person alone', tg_table_name
    using errcode = 'integrity_constraint_violation', hint = 'call erase_person(user_id, reason)';
end
$$;
--> statement-breakpoint
create function refuse_truncate() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '%: evidence is not truncated', tg_table_name
    using errcode = 'integrity_constraint_violation';
end
$$;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "sequence" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "previous_hash" bytea DEFAULT '' NOT NULL;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "hash" bytea DEFAULT '' NOT NULL;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "actor_salt" uuid;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "actor_digest" bytea DEFAULT '' NOT NULL;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "resource_salt" uuid;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD COLUMN "resource_digest" bytea DEFAULT '' NOT NULL;
--> statement-breakpoint
create function audit_log_hash(entry audit_logs) returns bytea
  language sql
  immutable
  set search_path = pg_catalog, pg_temp
as $$
  -- jsonb has one way to write a value, and seconds since 1970 do not depend on the session's time zone.
  select sha256(convert_to(
    jsonb_build_array(
      entry.sequence,
      encode(entry.previous_hash, 'hex'),
      entry.log_id,
      entry.action,
      entry.resource_type,
      extract(epoch from entry.timestamp),
      entry.metadata,
      encode(entry.actor_digest, 'hex'),
      encode(entry.resource_digest, 'hex')
    )::text,
    'UTF8'
  ))
$$;
--> statement-breakpoint
create function is_erasing(relation oid, person text) returns boolean
  language sql
  stable
  set search_path = pg_catalog, pg_temp
as $$
  -- Anybody can set the variable, but only erase_person runs as the owner on behalf of others.
  select person = nullif(current_setting('gdpr.erasing', true), '')
    and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = relation)
$$;
--> statement-breakpoint
create function verify_audit_logs() returns table (log_id uuid, sequence bigint, fault text)
  language sql
  stable
  set search_path = pg_catalog, pg_temp
as $$
  with erasures as (
    select erasure.resource_id as pseudonym
    from public.audit_logs as erasure
    where erasure.action = 'person.erase' and erasure.resource_type = 'person'
  ), linked as (
    select
      entry.log_id,
      entry.sequence,
      entry.previous_hash,
      lag(entry.sequence) over chain as sequence_before,
      lag(entry.hash) over chain as hash_before,
      entry.hash <> public.audit_log_hash(entry) as changed,
      -- Without its salt a digest proves nothing, and an entry of the erasure has to account for it.
      case
        when entry.actor_salt is not null then entry.actor_digest
          = public.audit_log_digest(entry.actor_salt, array[entry.user_id, entry.ip_address::text, entry.user_agent])
        else entry.ip_address is null and entry.user_agent is null and entry.user_id in (select pseudonym from erasures)
      end as actor_sound,
      case
        when entry.resource_salt is not null then entry.resource_digest
          = public.audit_log_digest(entry.resource_salt, array[entry.resource_id])
        else entry.resource_id in (select pseudonym from erasures)
      end as resource_sound
    from public.audit_logs as entry
    window chain as (order by entry.sequence)
  ), found as (
    select
      linked.log_id,
      linked.sequence,
      case
        when linked.sequence_before <> linked.sequence - 1 then 'entries before it are missing'
        when linked.previous_hash <> coalesce(linked.hash_before, linked.previous_hash)
          or (linked.sequence = 1 and linked.previous_hash <> '') then 'it does not follow the entry before it'
        when linked.changed then 'it was changed'
        when linked.actor_sound is not true then 'who acted was changed'
        when linked.resource_sound is not true then 'what it was done to was changed'
      end as fault
    from linked
  )
  select found.log_id, found.sequence, found.fault
  from found
  where found.fault is not null
  order by found.sequence
  limit 1
$$;
--> statement-breakpoint
-- The entries that are there already, in the order of their times. What was changed before now, nobody can tell.
do $$
declare
  entry audit_logs;
  place bigint := 0;
  hash_before bytea := '';
begin
  for entry in
    select * from audit_logs order by timestamp, log_id
  loop
    place := place + 1;
    entry.sequence := place;
    entry.previous_hash := hash_before;
    entry.actor_salt := gen_random_uuid();
    entry.actor_digest := audit_log_digest(entry.actor_salt, array[entry.user_id, entry.ip_address::text, entry.user_agent]);
    entry.resource_salt := gen_random_uuid();
    entry.resource_digest := audit_log_digest(entry.resource_salt, array[entry.resource_id]);
    entry.hash := audit_log_hash(entry);
    update audit_logs
    set
      sequence = entry.sequence,
      previous_hash = entry.previous_hash,
      hash = entry.hash,
      actor_salt = entry.actor_salt,
      actor_digest = entry.actor_digest,
      resource_salt = entry.resource_salt,
      resource_digest = entry.resource_digest
    where audit_logs.log_id = entry.log_id;
    hash_before := entry.hash;
  end loop;
end
$$;
--> statement-breakpoint
ALTER TABLE "audit_logs" ADD CONSTRAINT "audit_logs_sequence_key" UNIQUE("sequence");
--> statement-breakpoint
create trigger audit_logs_chain
  before insert on audit_logs
  for each row
  execute function chain_audit_log();
--> statement-breakpoint
create trigger audit_logs_keep
  before update or delete on audit_logs
  for each row
  execute function keep_audit_log();
--> statement-breakpoint
create trigger audit_logs_refuse_truncate
  before truncate on audit_logs
  for each statement
  execute function refuse_truncate();
--> statement-breakpoint
create trigger consent_records_keep
  before update on consent_records
  for each row
  execute function keep_consent();
--> statement-breakpoint
create trigger consent_records_only_erase
  before delete on consent_records
  for each row
  execute function only_erase();
--> statement-breakpoint
create trigger consent_records_refuse_truncate
  before truncate on consent_records
  for each statement
  execute function refuse_truncate();
--> statement-breakpoint
create trigger user_profiles_only_erase
  before delete on user_profiles
  for each row
  execute function only_erase();
--> statement-breakpoint
comment on function audit_log_digest(uuid, text[]) is
  'A commitment to personal data: it proves what was written, and says nothing once the salt is gone.';
--> statement-breakpoint
comment on function audit_log_hash(audit_logs) is
  'What hash has to be: of the entry before and of all that never changes. Personal data are in it by their digests, so '
  'that they can be erased; archived_at is not, so that it can be set.';
--> statement-breakpoint
comment on function chain_audit_log() is
  'Gives an entry its place after the last one, and the hashes that prove it.';
--> statement-breakpoint
comment on function is_erasing(oid, text) is
  'Whether erase_person is at work, and on this person.';
--> statement-breakpoint
comment on function keep_audit_log() is
  'Lets an entry be archived, pseudonymised by erase_person, and deleted after its 7 years; refuses every other change.';
--> statement-breakpoint
comment on function keep_consent() is
  'Lets withdrawn_at be set once, and refuses every other update.';
--> statement-breakpoint
comment on function only_erase() is
  'Refuses deletes, except by erase_person: a profile takes the consents with it.';
--> statement-breakpoint
comment on function refuse_truncate() is
  'Refuses truncate, which passes the triggers for rows.';
--> statement-breakpoint
comment on function verify_audit_logs() is
  'The first entry of the audit trail that is not as it was written, and why; no row when all are. That the last entries '
  'are gone only shows against a sequence and hash that were noted elsewhere.';
