create function is_erasing(relation oid, person text) returns boolean
  language sql
  stable
  set search_path = pg_catalog, pg_temp
as $$
  -- Anybody can set the variable, but only erase_person runs as the owner on behalf of others.
  select person = nullif(current_setting('gdpr.erasing', true), '')
    and current_user = (select pg_get_userbyid(relowner) from pg_class where oid = relation)
$$;

comment on function is_erasing(oid, text) is
  'Whether erase_person is at work, and on this person.';
