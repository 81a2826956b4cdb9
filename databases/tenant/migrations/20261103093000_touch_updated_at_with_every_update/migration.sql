-- One function for the triggers of all tenants: with one of the same name in every schema, each CREATE TRIGGER would
-- look at all of them. The first tenant to come here makes it, the others find it, and two at once take turns.

do $do$
begin
  if to_regprocedure('tenant_shared.touch_updated_at()') is null then
    perform pg_advisory_xact_lock(hashtextextended('tenant_shared.touch_updated_at', 0));
    -- Not to_regprocedure again: it remembers that there was none, and the end of a wait for an advisory lock does not
    -- make it forget. A query of the catalog sees what was made meanwhile.
    if not exists (
      select from pg_proc
      where proname = 'touch_updated_at'
        and pronargs = 0
        and pronamespace = (select oid from pg_namespace where nspname = 'tenant_shared')
    ) then
      create schema if not exists tenant_shared;

      create function tenant_shared.touch_updated_at() returns trigger
        language plpgsql
        set search_path = pg_catalog, pg_temp
      as $$
begin
  new.updated_at := now();
  return new;
end
$$;

      -- Tenants may belong to different roles.
      grant usage on schema tenant_shared to public;
      grant execute on function tenant_shared.touch_updated_at() to public;

      comment on schema tenant_shared is 'What the schemas of all tenants have in common.';
      comment on function tenant_shared.touch_updated_at() is
        'Sets updated_at to the time of the transaction, before each update.';
    end if;
  end if;
end
$do$;

create trigger contexts_touch_updated_at
  before update on contexts
  for each row
  execute function tenant_shared.touch_updated_at();

create trigger summaries_touch_updated_at
  before update on summaries
  for each row
  execute function tenant_shared.touch_updated_at();
