create trigger conversations_set_updated_at
  before update on conversations
  for each row
  execute function set_updated_at();
