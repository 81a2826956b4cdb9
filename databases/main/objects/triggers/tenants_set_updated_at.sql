create trigger tenants_set_updated_at
  before update on tenants
  for each row
  execute function set_updated_at();
