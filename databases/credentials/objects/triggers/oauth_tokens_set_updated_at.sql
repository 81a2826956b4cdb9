create trigger oauth_tokens_set_updated_at
  before update on oauth_tokens
  for each row
  when (old.* is distinct from new.*)
  execute function set_updated_at();
