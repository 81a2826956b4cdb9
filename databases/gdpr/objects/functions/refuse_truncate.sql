create function refuse_truncate() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '%: evidence is not truncated', tg_table_name
    using errcode = 'integrity_constraint_violation';
end
$$;

comment on function refuse_truncate() is
  'Refuses truncate, which passes the triggers for rows.';
