create trigger team_members_set_updated_at
  before update on team_members
  for each row
  execute function set_updated_at();
