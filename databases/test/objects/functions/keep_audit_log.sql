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

comment on function keep_audit_log() is
  'Lets an entry be archived, pseudonymised by erase_person, and deleted after its 7 years; refuses every other change.';
