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

comment on function audit_log_hash(audit_logs) is
  'What hash has to be: of the entry before and of all that never changes. Personal data are in it by their digests, so '
  'that they can be erased; archived_at is not, so that it can be set.';
