create trigger audit_logs_keep
  before update or delete on audit_logs
  for each row
  execute function keep_audit_log();
