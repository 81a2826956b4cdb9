create trigger user_credentials_set_updated_at
  before update on user_credentials
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();
