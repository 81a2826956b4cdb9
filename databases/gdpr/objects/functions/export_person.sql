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

comment on function export_person(text) is
  'Everything that is held about a person (Articles 15 and 20), as one document; times in UTC. Of what others did to '
  'them, what was done and when, and not by whom.';
