create trigger contexts_touch_updated_at
  before update on contexts
  for each row
  execute function tenant_shared.touch_updated_at();
