-- The schema that a history builds, in one file. drover snapshot, format 1
-- Do not edit it: pnpm migrate snapshot -d test writes it, and pnpm migrate check proves it.
-- history: databases/gdpr/migrations
-- heads: f8321fa229ea
-- content: sha256:f183720aa3e8891d499f33fe5cf7d4e6fb808ba8d3be477c79bedd64c5c691c4
-- revisions: 6
--   c71ebdd033e5 c011495ef78a88f4497aa51bf9cad1704bbfa12d214e8cc5e8ce5d9ac89f43fb
--   93b59974a6b1 fa0f6c5ff565e6920bff7f7f901a9820674838091c73c2d9ae470eff7546a87c
--   25fb862334de 1f4805e8b41c412d78e58a56d665e031b0789fd0d581773991b5187fd8b5cd7b
--   a3bc3cbe4dfe 651dd04b47e95f5e3ac9f139204a70562e6332b54fc7e6811db7cea3fbc0569b
--   5229934df481 b9b7af8ad5f8fdc4fa2b06b5001fce21d016bfa7b7a9c17f8bce58a53f7afc4d
--   f8321fa229ea 254e9c6a3c251d9ce1ae3b0491a1c46197502f10c0d4515740014da1fecb3fc6

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE TYPE public.legal_basis AS ENUM (
    'consent',
    'contract',
    'legal_obligation',
    'vital_interests',
    'public_task',
    'legitimate_interests'
);

COMMENT ON TYPE public.legal_basis IS 'The grounds for processing personal data, in the order of Article 6(1)(a) to (f).';

CREATE FUNCTION public.audit_log_digest(salt uuid, parts text[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(convert_to(jsonb_build_array(salt, to_jsonb(parts))::text, 'UTF8'))
$$;

COMMENT ON FUNCTION public.audit_log_digest(salt uuid, parts text[]) IS 'A commitment to personal data: it proves what was written, and says nothing once the salt is gone.';

CREATE TABLE public.audit_logs (
    log_id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text,
    action text NOT NULL,
    resource_type text,
    resource_id text,
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    ip_address inet,
    user_agent text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    archived_at timestamp with time zone,
    sequence bigint DEFAULT 0 NOT NULL,
    previous_hash bytea DEFAULT '\x'::bytea NOT NULL,
    hash bytea DEFAULT '\x'::bytea NOT NULL,
    actor_salt uuid,
    actor_digest bytea DEFAULT '\x'::bytea NOT NULL,
    resource_salt uuid,
    resource_digest bytea DEFAULT '\x'::bytea NOT NULL,
    CONSTRAINT audit_logs_action_not_empty CHECK ((btrim(action) <> ''::text)),
    CONSTRAINT audit_logs_archived_after_timestamp CHECK ((archived_at >= "timestamp")),
    CONSTRAINT audit_logs_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT audit_logs_timestamp_not_future CHECK (("timestamp" <= (now() + '00:05:00'::interval)))
);

COMMENT ON TABLE public.audit_logs IS 'Who did what to which data, and when (Articles 5(2) and 30). Only ever added to: see verify_audit_logs. Kept for 7 years, also when the person it names has been erased: then under a pseudonym (Article 17(3)(b)).';

COMMENT ON COLUMN public.audit_logs.log_id IS 'Key without a meaning. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.user_id IS 'Who acted, null for the system itself; not a foreign key, and a pseudonym after erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.action IS 'What was done, such as profile.export or consent.withdraw. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.resource_type IS 'The kind of thing it was done to, null when it was not one thing. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.resource_id IS 'The thing it was done to; may be the key of a person, and is a pseudonym after their erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs."timestamp" IS 'When it was done; at most 5 minutes ahead of this server, for clocks that differ. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.ip_address IS 'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';

COMMENT ON COLUMN public.audit_logs.user_agent IS 'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';

COMMENT ON COLUMN public.audit_logs.metadata IS 'Context for investigations, such as request and trace ids; nothing that leads to a person, for it stays after erasure. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.archived_at IS 'When the row was copied to cold storage, null until then. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.sequence IS 'Place in the chain of entries, without gaps, set by a trigger. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.previous_hash IS 'The hash of the entry before, empty for the first one ever, set by a trigger. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.hash IS 'SHA-256 of the entry and of previous_hash, set by a trigger; verify_audit_logs compares it. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.actor_salt IS 'Random; with it actor_digest proves who acted, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';

COMMENT ON COLUMN public.audit_logs.actor_digest IS 'SHA-256 of actor_salt, user_id, ip_address and user_agent as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';

COMMENT ON COLUMN public.audit_logs.resource_salt IS 'Random; with it resource_digest proves what it was done to, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';

COMMENT ON COLUMN public.audit_logs.resource_digest IS 'SHA-256 of resource_salt and resource_id as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';

COMMENT ON CONSTRAINT audit_logs_timestamp_not_future ON public.audit_logs IS 'Reads the clock, and may: a row that was accepted once is accepted at any later moment, a restore included.';

CREATE FUNCTION public.audit_log_hash(entry public.audit_logs) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.audit_log_hash(entry public.audit_logs) IS 'What hash has to be: of the entry before and of all that never changes. Personal data are in it by their digests, so that they can be erased; archived_at is not, so that it can be set.';

CREATE FUNCTION public.chain_audit_log() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.chain_audit_log() IS 'Gives an entry its place after the last one, and the hashes that prove it.';

CREATE FUNCTION public.erase_person(person text, reason text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  -- Not derived from the key, so that nothing leads back; the same in all entries, so that the trail stays one.
  pseudonym constant text := 'erased:' || gen_random_uuid();
  decisions jsonb;
  erased jsonb;
  profiles integer;
  preferences integer;
  consents integer;
  conversations integer;
  entries integer;
begin
  if not has_table_privilege(session_user, 'public.user_profiles', 'delete') then
    raise exception 'erase_person: % may not delete from user_profiles', session_user
      using errcode = 'insufficient_privilege';
  end if;
  if coalesce(btrim(person), '') = '' or coalesce(btrim(reason), '') = '' then
    raise exception 'erase_person: a person and a reason are needed'
      using errcode = 'invalid_parameter_value', hint = 'call erase_person(user_id, reason)';
  end if;

  perform set_config('gdpr.erasing', person, true);
  -- First the profile, so that nothing is added to it meanwhile, then the end of the trail: the order in which an
  -- application works, which changes something and then writes that down.
  perform from public.user_profiles as profile where profile.user_id = person for update;
  perform pg_advisory_xact_lock(hashtextextended('audit_logs', 0));

  -- Column by column: what is added to the table one day must not stay behind unseen.
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'consent_type', consent.consent_type,
        'granted', consent.granted,
        'timestamp', consent.timestamp,
        'legal_basis', consent.legal_basis,
        'withdrawn_at', consent.withdrawn_at
      )
      order by consent.timestamp, consent.consent_id
    ),
    '[]'
  )
  into decisions
  from public.consent_records as consent
  where consent.user_id = person;

  delete from public.conversations as conversation where conversation.user_id = person;
  get diagnostics conversations = row_count;
  delete from public.consent_records as consent where consent.user_id = person;
  get diagnostics consents = row_count;
  delete from public.user_preferences as preference where preference.user_id = person;
  get diagnostics preferences = row_count;
  delete from public.user_profiles as profile where profile.user_id = person;
  get diagnostics profiles = row_count;

  update public.audit_logs as entry
  set
    user_id = case when entry.user_id = person then pseudonym else entry.user_id end,
    ip_address = case when entry.user_id = person then null else entry.ip_address end,
    user_agent = case when entry.user_id = person then null else entry.user_agent end,
    actor_salt = case when entry.user_id = person then null else entry.actor_salt end,
    resource_id = case when entry.resource_id = person then pseudonym else entry.resource_id end,
    resource_salt = case when entry.resource_id = person then null else entry.resource_salt end
  where entry.user_id = person or entry.resource_id = person;
  get diagnostics entries = row_count;
  perform set_config('gdpr.erasing', '', true);

  erased := jsonb_build_object(
    'user_profiles', profiles,
    'user_preferences', preferences,
    'consent_records', consents,
    'conversations', conversations,
    'audit_logs', entries
  );
  if profiles + entries = 0 then
    return jsonb_build_object('pseudonym', null, 'erased', erased);
  end if;
  insert into public.audit_logs (action, resource_type, resource_id, metadata)
  values (
    'person.erase',
    'person',
    pseudonym,
    jsonb_build_object('reason', reason, 'by', session_user, 'erased', erased, 'consents', decisions)
  );
  return jsonb_build_object('pseudonym', pseudonym, 'erased', erased);
end
$$;

COMMENT ON FUNCTION public.erase_person(person text, reason text) IS 'Erases a person (Article 17): deletes profile, preferences, consents and conversations, and puts a pseudonym in the place of the person in the audit trail, where an entry says so, gives the reason and keeps which decisions there were. Returns the pseudonym and how many rows; of a person who is not there, no pseudonym, and nothing is written.';

CREATE FUNCTION public.export_person(person text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
  select jsonb_build_object(
    'user_id', person,
    'profile', (select to_jsonb(profile) from public.user_profiles as profile where profile.user_id = person),
    'preferences', (
      select to_jsonb(preference) from public.user_preferences as preference where preference.user_id = person
    ),
    'consents', (
      select coalesce(jsonb_agg(to_jsonb(consent) order by consent.timestamp, consent.consent_id), '[]')
      from public.consent_records as consent
      where consent.user_id = person
    ),
    'conversations', (
      select coalesce(jsonb_agg(to_jsonb(conversation) order by conversation.created_at, conversation.conversation_id), '[]')
      from public.conversations as conversation
      where conversation.user_id = person
    ),
    'audit_logs', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'log_id', entry.log_id,
        'action', entry.action,
        'resource_type', entry.resource_type,
        'timestamp', entry.timestamp,
        'resource_id', entry.resource_id
      ) || case
        -- Who did something to the person is another person (Article 15(4)).
        when entry.user_id = person then jsonb_build_object(
          'user_id', entry.user_id,
          'ip_address', entry.ip_address,
          'user_agent', entry.user_agent,
          'metadata', entry.metadata
        )
        else '{}'
      end order by entry.sequence), '[]')
      from public.audit_logs as entry
      where entry.user_id = person or entry.resource_id = person
    )
  )
$$;

COMMENT ON FUNCTION public.export_person(person text) IS 'Everything that is held about a person (Articles 15 and 20), as one document; times in UTC. Of what others did to them, what was done and when, and not by whom.';

CREATE FUNCTION public.is_erasing(relation oid, person text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Anybody can set the variable, but only erase_person runs as the owner on behalf of others.
  select person = nullif(current_setting('gdpr.erasing', true), '')
    and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = relation)
$$;

COMMENT ON FUNCTION public.is_erasing(relation oid, person text) IS 'Whether erase_person is at work, and on this person.';

CREATE FUNCTION public.keep_audit_log() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.keep_audit_log() IS 'Lets an entry be archived, pseudonymised by erase_person, and deleted after its 7 years; refuses every other change.';

CREATE FUNCTION public.keep_consent() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if old.withdrawn_at is null and to_jsonb(new) - 'withdrawn_at' = to_jsonb(old) - 'withdrawn_at' then
    return new;
  end if;
  raise exception 'consent_records: what was recorded does not change'
    using errcode = 'integrity_constraint_violation', hint = 'add a row for the new decision; withdrawn_at may be set once';
end
$$;

COMMENT ON FUNCTION public.keep_consent() IS 'Lets withdrawn_at be set once, and refuses every other update.';

CREATE FUNCTION public.only_erase() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if public.is_erasing(tg_relid, old.user_id) then
    return old;
  end if;
  raise exception '%: rows are deleted by erase_person alone', tg_table_name
    using errcode = 'integrity_constraint_violation', hint = 'call erase_person(user_id, reason)';
end
$$;

COMMENT ON FUNCTION public.only_erase() IS 'Refuses deletes, except by erase_person: a profile takes the consents with it.';

CREATE FUNCTION public.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception '%: evidence is not truncated', tg_table_name
    using errcode = 'integrity_constraint_violation';
end
$$;

COMMENT ON FUNCTION public.refuse_truncate() IS 'Refuses truncate, which passes the triggers for rows.';

CREATE FUNCTION public.set_last_updated() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.last_updated := greatest(now(), new.created_at);
  return new;
end
$$;

CREATE FUNCTION public.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.updated_at := now();
  return new;
end
$$;

CREATE FUNCTION public.verify_audit_logs() RETURNS TABLE(log_id uuid, sequence bigint, fault text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.verify_audit_logs() IS 'The first entry of the audit trail that is not as it was written, and why; no row when all are. That the last entries are gone only shows against a sequence and hash that were noted elsewhere.';

CREATE VIEW public.audit_logs_for_archival WITH (security_invoker='true') AS
 SELECT log_id,
    user_id,
    action,
    "timestamp",
    (now() - "timestamp") AS age
   FROM public.audit_logs
  WHERE ((archived_at IS NULL) AND ("timestamp" < (now() - '90 days'::interval)) AND ("timestamp" >= (now() - '7 years'::interval)))
  ORDER BY "timestamp";

COMMENT ON VIEW public.audit_logs_for_archival IS 'Audit entries to copy to cold storage, the oldest first: past 90 days, within the 7 years, and not copied yet. Entries past the 7 years are not in it: they are due for deletion (Article 5(1)(e)).';

COMMENT ON COLUMN public.audit_logs_for_archival.age IS 'Time since the entry was made.';

CREATE TABLE public.consent_records (
    consent_id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    consent_type text NOT NULL,
    granted boolean NOT NULL,
    "timestamp" timestamp with time zone DEFAULT now() NOT NULL,
    ip_address inet,
    user_agent text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    legal_basis public.legal_basis DEFAULT 'consent'::public.legal_basis NOT NULL,
    withdrawn_at timestamp with time zone,
    CONSTRAINT consent_records_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT consent_records_type_not_empty CHECK ((btrim(consent_type) <> ''::text)),
    CONSTRAINT consent_records_withdrawn_after_granted CHECK ((withdrawn_at >= "timestamp")),
    CONSTRAINT consent_records_withdrawn_was_granted CHECK (((withdrawn_at IS NULL) OR granted))
);

COMMENT ON TABLE public.consent_records IS 'Proof of what a person has agreed to or refused (Article 7(1)), one row per decision. What was recorded does not change: triggers see to it. Kept as long as the profile; what has to outlive it for 7 years is the entry in audit_logs.';

COMMENT ON COLUMN public.consent_records.consent_id IS 'Key without a meaning. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records.user_id IS 'Who decided (Article 7(1)). Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records.consent_type IS 'What the decision is about, such as analytics or marketing. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records.granted IS 'True for a consent, false for a refusal or a withdrawal (Article 7(3)). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records."timestamp" IS 'When the decision was taken; evidence, which does not change. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records.ip_address IS 'Evidence of where the decision came from (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';

COMMENT ON COLUMN public.consent_records.user_agent IS 'Evidence of what the decision was taken with (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';

COMMENT ON COLUMN public.consent_records.metadata IS 'Further evidence, such as the version of the text that was shown. Kept with the profile.';

COMMENT ON COLUMN public.consent_records.legal_basis IS 'The ground on which the processing rests; consent unless said otherwise. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

COMMENT ON COLUMN public.consent_records.withdrawn_at IS 'When a consent that was given ended (Article 7(3)), null while it is in force; set once, together with the row that records the withdrawal. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';

CREATE TABLE public.conversations (
    conversation_id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id text NOT NULL,
    title text,
    messages jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_message_at timestamp with time zone,
    archived boolean DEFAULT false NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT conversations_last_message_after_created CHECK ((last_message_at >= created_at)),
    CONSTRAINT conversations_messages_is_array CHECK ((jsonb_typeof(messages) = 'array'::text)),
    CONSTRAINT conversations_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text))
);

COMMENT ON TABLE public.conversations IS 'What people and the assistant have said to each other. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased (Articles 5(1)(e) and 17).';

COMMENT ON COLUMN public.conversations.conversation_id IS 'Key without a meaning. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.user_id IS 'Whose conversation it is. Personal data: identity. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.title IS 'Finding a conversation again; may quote the person. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.messages IS 'The messages, oldest first, to go on with the conversation; free text, which may hold personal data of any kind, also of others. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.created_at IS 'When the conversation began. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.last_message_at IS 'When the last message was added, null before the first; the 90 days count from here. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.archived IS 'True when the person has asked to keep the conversation beyond the 90 days. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

COMMENT ON COLUMN public.conversations.metadata IS 'Technical context, such as the model that answered; no personal data. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';

CREATE VIEW public.conversations_for_cleanup WITH (security_invoker='true') AS
 SELECT conversation_id,
    user_id,
    title,
    created_at,
    last_message_at,
    (now() - COALESCE(last_message_at, created_at)) AS age
   FROM public.conversations
  WHERE ((NOT archived) AND (COALESCE(last_message_at, created_at) < (now() - '90 days'::interval)))
  ORDER BY COALESCE(last_message_at, created_at);

COMMENT ON VIEW public.conversations_for_cleanup IS 'Conversations to delete, the oldest first: not archived, and 90 days past their last message (Article 5(1)(e)).';

COMMENT ON COLUMN public.conversations_for_cleanup.age IS 'Time since the last message, or since creation when there is none.';

CREATE TABLE public.user_preferences (
    user_id text NOT NULL,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT user_preferences_preferences_is_object CHECK ((jsonb_typeof(preferences) = 'object'::text))
);

COMMENT ON TABLE public.user_preferences IS 'What a person has set for themselves (Article 15). Kept as long as the profile.';

COMMENT ON COLUMN public.user_preferences.user_id IS 'Whose preferences these are: at most one row per person. Personal data: identity. Basis: contract, Article 6(1)(b). Kept with the profile.';

COMMENT ON COLUMN public.user_preferences.preferences IS 'Language, notifications and the like, to provide the service as the person wants it. Personal data: preferences. Basis: contract, Article 6(1)(b). Kept with the profile.';

COMMENT ON COLUMN public.user_preferences.updated_at IS 'When the row last changed, set by a trigger. Kept with the profile.';

CREATE TABLE public.user_profiles (
    user_id text NOT NULL,
    username text NOT NULL,
    email text,
    full_name text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_updated timestamp with time zone DEFAULT now() NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT user_profiles_created_before_updated CHECK ((created_at <= last_updated)),
    CONSTRAINT user_profiles_email_length CHECK (((char_length(email) >= 3) AND (char_length(email) <= 320))),
    CONSTRAINT user_profiles_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT user_profiles_username_not_empty CHECK ((btrim(username) <> ''::text))
);

COMMENT ON TABLE public.user_profiles IS 'The people whose data is held here (Articles 15 and 17). Kept until the account is closed or erasure is asked for; erase_person deletes a row, with preferences, consents and conversations.';

COMMENT ON COLUMN public.user_profiles.user_id IS 'Pseudonymous key issued by the identity provider, by which everything of a person is found. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';

COMMENT ON COLUMN public.user_profiles.username IS 'Signing in and being shown to others. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';

COMMENT ON COLUMN public.user_profiles.email IS 'Reaching the person, and finding them when they exercise their rights. Personal data: contact. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';

COMMENT ON COLUMN public.user_profiles.full_name IS 'Addressing the person; given voluntarily. Personal data: identity. Basis: consent, Article 6(1)(a). Kept with the profile, and no longer than the consent: set to null on withdrawal.';

COMMENT ON COLUMN public.user_profiles.created_at IS 'When the account was opened. Kept until the account is closed or erasure is asked for.';

COMMENT ON COLUMN public.user_profiles.last_updated IS 'When the row last changed (Article 5(1)(d), accuracy), set by a trigger. Kept until the account is closed or erasure is asked for.';

COMMENT ON COLUMN public.user_profiles.metadata IS 'Further attributes that the application needs to provide the service; no special categories of data (Article 9). Personal data: attributes. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';

ALTER TABLE ONLY public.audit_logs
    ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (log_id);

ALTER TABLE ONLY public.audit_logs
    ADD CONSTRAINT audit_logs_sequence_key UNIQUE (sequence);

ALTER TABLE ONLY public.consent_records
    ADD CONSTRAINT consent_records_pkey PRIMARY KEY (consent_id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (conversation_id);

ALTER TABLE ONLY public.user_preferences
    ADD CONSTRAINT user_preferences_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.user_profiles
    ADD CONSTRAINT user_profiles_pkey PRIMARY KEY (user_id);

CREATE INDEX audit_logs_action_idx ON public.audit_logs USING btree (action);

COMMENT ON INDEX public.audit_logs_action_idx IS 'Every time one thing was done.';

CREATE INDEX audit_logs_resource_idx ON public.audit_logs USING btree (resource_type, resource_id) WHERE ((resource_type IS NOT NULL) AND (resource_id IS NOT NULL));

COMMENT ON INDEX public.audit_logs_resource_idx IS 'Everything that was done to one thing.';

CREATE INDEX audit_logs_retention_idx ON public.audit_logs USING btree ("timestamp") WHERE (archived_at IS NULL);

COMMENT ON INDEX public.audit_logs_retention_idx IS 'Serves audit_logs_for_archival.';

COMMENT ON INDEX public.audit_logs_sequence_key IS 'The chain of entries: its end, where the next one goes, and its order, in which verify_audit_logs follows it.';

CREATE INDEX audit_logs_timestamp_idx ON public.audit_logs USING btree ("timestamp" DESC);

COMMENT ON INDEX public.audit_logs_timestamp_idx IS 'The latest entries first, and those past their 7 years.';

CREATE INDEX audit_logs_user_id_idx ON public.audit_logs USING btree (user_id) WHERE (user_id IS NOT NULL);

COMMENT ON INDEX public.audit_logs_user_id_idx IS 'Everything a person has done (Article 15).';

CREATE INDEX audit_logs_user_id_timestamp_action_idx ON public.audit_logs USING btree (user_id, "timestamp" DESC, action) WHERE (user_id IS NOT NULL);

COMMENT ON INDEX public.audit_logs_user_id_timestamp_action_idx IS 'What a person did within a time, the latest first, without reading the table.';

CREATE INDEX consent_records_consent_type_idx ON public.consent_records USING btree (consent_type);

COMMENT ON INDEX public.consent_records_consent_type_idx IS 'Everyone who has decided about one thing.';

CREATE INDEX consent_records_timestamp_idx ON public.consent_records USING btree ("timestamp" DESC);

COMMENT ON INDEX public.consent_records_timestamp_idx IS 'The latest decisions first, for reports.';

CREATE INDEX consent_records_user_id_consent_type_idx ON public.consent_records USING btree (user_id, consent_type, "timestamp" DESC);

COMMENT ON INDEX public.consent_records_user_id_consent_type_idx IS 'The decision in force: the latest of one person about one thing.';

CREATE INDEX consent_records_user_id_idx ON public.consent_records USING btree (user_id);

COMMENT ON INDEX public.consent_records_user_id_idx IS 'Everything a person has decided (Article 15), and the cascade from their profile.';

CREATE INDEX conversations_archived_idx ON public.conversations USING btree (user_id, last_message_at DESC NULLS LAST) WHERE archived;

COMMENT ON INDEX public.conversations_archived_idx IS 'A person''s archive, the most recently used first.';

CREATE INDEX conversations_created_at_idx ON public.conversations USING btree (created_at DESC);

COMMENT ON INDEX public.conversations_created_at_idx IS 'The newest conversations first.';

CREATE INDEX conversations_last_message_at_idx ON public.conversations USING btree (last_message_at DESC NULLS LAST);

COMMENT ON INDEX public.conversations_last_message_at_idx IS 'The most recently used conversations first, those without a message last.';

CREATE INDEX conversations_retention_idx ON public.conversations USING btree (COALESCE(last_message_at, created_at)) WHERE (NOT archived);

COMMENT ON INDEX public.conversations_retention_idx IS 'Serves conversations_for_cleanup.';

CREATE INDEX conversations_user_id_idx ON public.conversations USING btree (user_id);

COMMENT ON INDEX public.conversations_user_id_idx IS 'Everything a person has said (Article 15), and the cascade from their profile.';

CREATE INDEX conversations_user_id_last_message_at_idx ON public.conversations USING btree (user_id, last_message_at DESC NULLS LAST);

COMMENT ON INDEX public.conversations_user_id_last_message_at_idx IS 'A person''s conversations, the most recently used first.';

CREATE INDEX user_preferences_preferences_idx ON public.user_preferences USING gin (preferences);

COMMENT ON INDEX public.user_preferences_preferences_idx IS 'Who has set what: containment and key searches in the document.';

CREATE INDEX user_preferences_updated_at_idx ON public.user_preferences USING btree (updated_at);

COMMENT ON INDEX public.user_preferences_updated_at_idx IS 'Preferences changed since a moment, for synchronisation.';

CREATE INDEX user_profiles_created_at_idx ON public.user_profiles USING btree (created_at);

COMMENT ON INDEX public.user_profiles_created_at_idx IS 'Profiles by age, for reports and for finding accounts never used.';

CREATE INDEX user_profiles_email_idx ON public.user_profiles USING btree (lower(email)) WHERE (email IS NOT NULL);

COMMENT ON INDEX public.user_profiles_email_idx IS 'Finds a person by address, whatever its case, when they exercise their rights.';

CREATE INDEX user_profiles_username_idx ON public.user_profiles USING btree (username);

COMMENT ON INDEX public.user_profiles_username_idx IS 'Finds a person who signs in.';

CREATE TRIGGER audit_logs_chain BEFORE INSERT ON public.audit_logs FOR EACH ROW EXECUTE FUNCTION public.chain_audit_log();

CREATE TRIGGER audit_logs_keep BEFORE DELETE OR UPDATE ON public.audit_logs FOR EACH ROW EXECUTE FUNCTION public.keep_audit_log();

CREATE TRIGGER audit_logs_refuse_truncate BEFORE TRUNCATE ON public.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();

CREATE TRIGGER consent_records_keep BEFORE UPDATE ON public.consent_records FOR EACH ROW EXECUTE FUNCTION public.keep_consent();

CREATE TRIGGER consent_records_only_erase BEFORE DELETE ON public.consent_records FOR EACH ROW EXECUTE FUNCTION public.only_erase();

CREATE TRIGGER consent_records_refuse_truncate BEFORE TRUNCATE ON public.consent_records FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();

CREATE TRIGGER user_preferences_set_updated_at BEFORE UPDATE ON public.user_preferences FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER user_profiles_only_erase BEFORE DELETE ON public.user_profiles FOR EACH ROW EXECUTE FUNCTION public.only_erase();

CREATE TRIGGER user_profiles_set_last_updated BEFORE UPDATE ON public.user_profiles FOR EACH ROW EXECUTE FUNCTION public.set_last_updated();

ALTER TABLE ONLY public.consent_records
    ADD CONSTRAINT consent_records_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_profiles(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_profiles(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_preferences
    ADD CONSTRAINT user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.user_profiles(user_id) ON DELETE CASCADE;
