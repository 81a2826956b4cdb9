create trigger meetings_set_updated_at
  before update on meetings
  for each row
  execute function set_updated_at();
