create trigger teams_set_updated_at
  before update on teams
  for each row
  execute function set_updated_at();
