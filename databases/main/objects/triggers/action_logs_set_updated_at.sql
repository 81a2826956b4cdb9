create trigger action_logs_set_updated_at
  before update on action_logs
  for each row
  execute function set_updated_at();
