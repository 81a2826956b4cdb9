create function refuse_update_of_login_attempts() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception 'login_attempts is append-only'
    using errcode = 'restrict_violation', hint = 'Record a new attempt; old rows may only be deleted by retention.';
end
$$;

comment on function refuse_update_of_login_attempts() is
  'Trigger function: keeps the audit trail append-only.';
