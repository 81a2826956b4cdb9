create trigger user_profiles_only_erase
  before delete on user_profiles
  for each row
  execute function only_erase();
