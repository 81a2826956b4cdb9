alter table audit_logs force row level security;
