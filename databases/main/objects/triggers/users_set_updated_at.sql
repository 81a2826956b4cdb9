create trigger users_set_updated_at
  before update on users
  for each row
  execute function set_updated_at();
