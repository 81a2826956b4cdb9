create trigger events_set_updated_at
  before update on events
  for each row
  execute function set_updated_at();
