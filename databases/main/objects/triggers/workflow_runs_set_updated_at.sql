create trigger workflow_runs_set_updated_at
  before update on workflow_runs
  for each row
  execute function set_updated_at();
