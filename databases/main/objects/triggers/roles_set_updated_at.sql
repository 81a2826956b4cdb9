create trigger roles_set_updated_at
  before update on roles
  for each row
  execute function set_updated_at();
