create trigger transfer_requests_set_updated_at
  before update on transfer_requests
  for each row
  execute function set_updated_at();
