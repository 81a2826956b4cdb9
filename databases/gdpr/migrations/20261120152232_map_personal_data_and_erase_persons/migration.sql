create function erase_person(person text, reason text) returns jsonb
  language plpgsql
  -- Consents and audit entries let nobody but their owner delete or pseudonymise them.
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
as $$
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
--> statement-breakpoint
create function export_person(person text) returns jsonb
  language sql
  stable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
as $$
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
--> statement-breakpoint
comment on table audit_logs is
  'Who did what to which data, and when (Articles 5(2) and 30). Only ever added to: see verify_audit_logs. '
  'Kept for 7 years, also when the person it names has been erased: then under a pseudonym (Article 17(3)(b)).';
--> statement-breakpoint
comment on index audit_logs_sequence_key is
  'The chain of entries: its end, where the next one goes, and its order, in which verify_audit_logs follows it.';
--> statement-breakpoint
comment on column "user_profiles"."user_id" is
  'Pseudonymous key issued by the identity provider, by which everything of a person is found. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_profiles"."username" is
  'Signing in and being shown to others. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_profiles"."email" is
  'Reaching the person, and finding them when they exercise their rights. Personal data: contact. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_profiles"."full_name" is
  'Addressing the person; given voluntarily. Personal data: identity. Basis: consent, Article 6(1)(a). Kept with the profile, and no longer than the consent: set to null on withdrawal.';
--> statement-breakpoint
comment on column "user_profiles"."created_at" is
  'When the account was opened. Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_profiles"."last_updated" is
  'When the row last changed (Article 5(1)(d), accuracy), set by a trigger. Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_profiles"."metadata" is
  'Further attributes that the application needs to provide the service; no special categories of data (Article 9). Personal data: attributes. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
--> statement-breakpoint
comment on column "user_preferences"."user_id" is
  'Whose preferences these are: at most one row per person. Personal data: identity. Basis: contract, Article 6(1)(b). Kept with the profile.';
--> statement-breakpoint
comment on column "user_preferences"."preferences" is
  'Language, notifications and the like, to provide the service as the person wants it. Personal data: preferences. Basis: contract, Article 6(1)(b). Kept with the profile.';
--> statement-breakpoint
comment on column "user_preferences"."updated_at" is
  'When the row last changed, set by a trigger. Kept with the profile.';
--> statement-breakpoint
comment on column "consent_records"."consent_id" is
  'Key without a meaning. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."user_id" is
  'Who decided (Article 7(1)). Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."consent_type" is
  'What the decision is about, such as analytics or marketing. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."granted" is
  'True for a consent, false for a refusal or a withdrawal (Article 7(3)). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."timestamp" is
  'When the decision was taken; evidence, which does not change. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."ip_address" is
  'Evidence of where the decision came from (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';
--> statement-breakpoint
comment on column "consent_records"."user_agent" is
  'Evidence of what the decision was taken with (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';
--> statement-breakpoint
comment on column "consent_records"."metadata" is
  'Further evidence, such as the version of the text that was shown. Kept with the profile.';
--> statement-breakpoint
comment on column "consent_records"."legal_basis" is
  'The ground on which the processing rests; consent unless said otherwise. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "consent_records"."withdrawn_at" is
  'When a consent that was given ended (Article 7(3)), null while it is in force; set once, together with the row that records the withdrawal. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
--> statement-breakpoint
comment on column "conversations"."conversation_id" is
  'Key without a meaning. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."user_id" is
  'Whose conversation it is. Personal data: identity. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."title" is
  'Finding a conversation again; may quote the person. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."messages" is
  'The messages, oldest first, to go on with the conversation; free text, which may hold personal data of any kind, also of others. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."created_at" is
  'When the conversation began. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."last_message_at" is
  'When the last message was added, null before the first; the 90 days count from here. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."archived" is
  'True when the person has asked to keep the conversation beyond the 90 days. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "conversations"."metadata" is
  'Technical context, such as the model that answered; no personal data. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
--> statement-breakpoint
comment on column "audit_logs"."log_id" is
  'Key without a meaning. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."user_id" is
  'Who acted, null for the system itself; not a foreign key, and a pseudonym after erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."action" is
  'What was done, such as profile.export or consent.withdraw. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."resource_type" is
  'The kind of thing it was done to, null when it was not one thing. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."resource_id" is
  'The thing it was done to; may be the key of a person, and is a pseudonym after their erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."timestamp" is
  'When it was done; at most 5 minutes ahead of this server, for clocks that differ. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."ip_address" is
  'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';
--> statement-breakpoint
comment on column "audit_logs"."user_agent" is
  'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';
--> statement-breakpoint
comment on column "audit_logs"."metadata" is
  'Context for investigations, such as request and trace ids; nothing that leads to a person, for it stays after erasure. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."archived_at" is
  'When the row was copied to cold storage, null until then. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."sequence" is
  'Place in the chain of entries, without gaps, set by a trigger. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."previous_hash" is
  'The hash of the entry before, empty for the first one ever, set by a trigger. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."hash" is
  'SHA-256 of the entry and of previous_hash, set by a trigger; verify_audit_logs compares it. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."actor_salt" is
  'Random; with it actor_digest proves who acted, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';
--> statement-breakpoint
comment on column "audit_logs"."actor_digest" is
  'SHA-256 of actor_salt, user_id, ip_address and user_agent as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on column "audit_logs"."resource_salt" is
  'Random; with it resource_digest proves what it was done to, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';
--> statement-breakpoint
comment on column "audit_logs"."resource_digest" is
  'SHA-256 of resource_salt and resource_id as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';
--> statement-breakpoint
comment on table consent_records is
  'Proof of what a person has agreed to or refused (Article 7(1)), one row per decision. What was recorded does not '
  'change: triggers see to it. Kept as long as the profile; what has to outlive it for 7 years is the entry in audit_logs.';
--> statement-breakpoint
comment on table user_profiles is
  'The people whose data is held here (Articles 15 and 17). Kept until the account is closed or erasure is asked for; '
  'erase_person deletes a row, with preferences, consents and conversations.';
--> statement-breakpoint
comment on function erase_person(text, text) is
  'Erases a person (Article 17): deletes profile, preferences, consents and conversations, and puts a pseudonym in the '
  'place of the person in the audit trail, where an entry says so, gives the reason and keeps which decisions there were. '
  'Returns the pseudonym and how many rows; of a person who is not there, no pseudonym, and nothing is written.';
--> statement-breakpoint
comment on function export_person(text) is
  'Everything that is held about a person (Articles 15 and 20), as one document; times in UTC. Of what others did to '
  'them, what was done and when, and not by whom.';
