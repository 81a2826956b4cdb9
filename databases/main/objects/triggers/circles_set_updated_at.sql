create trigger circles_set_updated_at
  before update on circles
  for each row
  execute function set_updated_at();
