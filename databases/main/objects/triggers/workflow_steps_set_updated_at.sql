create trigger workflow_steps_set_updated_at
  before update on workflow_steps
  for each row
  execute function set_updated_at();
