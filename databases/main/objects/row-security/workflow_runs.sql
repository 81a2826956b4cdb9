alter table workflow_runs force row level security;
