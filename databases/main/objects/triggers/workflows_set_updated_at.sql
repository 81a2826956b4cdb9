create trigger workflows_set_updated_at
  before update on workflows
  for each row
  execute function set_updated_at();
