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

comment on function keep_consent() is
  'Lets withdrawn_at be set once, and refuses every other update.';
