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

comment on function chain_audit_log() is
  'Gives an entry its place after the last one, and the hashes that prove it.';
