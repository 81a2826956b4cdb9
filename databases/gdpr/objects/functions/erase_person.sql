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

comment on function erase_person(text, text) is
  'Erases a person (Article 17): deletes profile, preferences, consents and conversations, and puts a pseudonym in the '
  'place of the person in the audit trail, where an entry says so, gives the reason and keeps which decisions there were. '
  'Returns the pseudonym and how many rows; of a person who is not there, no pseudonym, and nothing is written.';
