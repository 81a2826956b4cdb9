create trigger login_attempts_refuse_update
  before update on login_attempts
  for each statement
  execute function refuse_update_of_login_attempts();
