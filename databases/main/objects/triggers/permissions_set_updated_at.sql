create trigger permissions_set_updated_at
  before update on permissions
  for each row
  execute function set_updated_at();
