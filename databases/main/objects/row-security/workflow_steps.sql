alter table workflow_steps force row level security;
