alter table action_logs force row level security;
