create trigger user_profiles_set_last_updated
  before update on user_profiles
  for each row
  execute function set_last_updated();
