create function tenant_shared.touch_updated_at() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

comment on function tenant_shared.touch_updated_at() is
  'Sets updated_at to the time of the transaction, before each update.';

grant execute on function tenant_shared.touch_updated_at() to public;
