create trigger summaries_touch_updated_at
  before update on summaries
  for each row
  execute function tenant_shared.touch_updated_at();
