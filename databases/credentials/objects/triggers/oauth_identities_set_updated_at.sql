create trigger oauth_identities_set_updated_at
  before update on oauth_identities
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();
