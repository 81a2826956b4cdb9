create trigger consent_records_refuse_truncate
  before truncate on consent_records
  for each statement
  execute function refuse_truncate();
