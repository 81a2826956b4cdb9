create trigger circle_memberships_set_updated_at
  before update on circle_memberships
  for each row
  execute function set_updated_at();
