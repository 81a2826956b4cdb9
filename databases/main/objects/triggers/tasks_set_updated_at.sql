create trigger tasks_set_updated_at
  before update on tasks
  for each row
  execute function set_updated_at();
