create function set_last_updated() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.last_updated := greatest(now(), new.created_at);
  return new;
end
$$;
