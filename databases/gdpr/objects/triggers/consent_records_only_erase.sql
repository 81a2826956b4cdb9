create trigger consent_records_only_erase
  before delete on consent_records
  for each row
  execute function only_erase();
