create function audit_log_digest(salt uuid, parts text[]) returns bytea
  language sql
  immutable
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(jsonb_build_array(salt, to_jsonb(parts))::text, 'UTF8'))
$$;

comment on function audit_log_digest(uuid, text[]) is
  'A commitment to personal data: it proves what was written, and says nothing once the salt is gone.';
