create trigger consent_records_keep
  before update on consent_records
  for each row
  execute function keep_consent();
