create function only_erase() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if public.is_erasing(tg_relid, old.user_id) then
    return old;
  end if;
  raise exception '%: rows are deleted by erase_person alone', tg_table_name
    using errcode = 'integrity_constraint_violation', hint = 'call erase_person(user_id, reason)';
end
$$;

comment on function only_erase() is
  'Refuses deletes, except by erase_person: a profile takes the consents with it.';
