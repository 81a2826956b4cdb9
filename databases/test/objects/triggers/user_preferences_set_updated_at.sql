create trigger user_preferences_set_updated_at
  before update on user_preferences
  for each row
  execute function set_updated_at();
