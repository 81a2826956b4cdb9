create trigger idempotency_keys_set_updated_at
  before update on idempotency_keys
  for each row
  execute function set_updated_at();
