create function set_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

comment on function set_updated_at() is
  'Trigger function: stamps updated_at with the time of the transaction.';
