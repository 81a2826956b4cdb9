create trigger audit_logs_chain
  before insert on audit_logs
  for each row
  execute function chain_audit_log();
