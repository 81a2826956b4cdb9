create trigger audit_logs_refuse_truncate
  before truncate on audit_logs
  for each statement
  execute function refuse_truncate();
