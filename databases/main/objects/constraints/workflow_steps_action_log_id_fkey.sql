-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table workflow_steps
  drop constraint workflow_steps_action_log_id_fkey,
  add constraint workflow_steps_action_log_id_fkey
    foreign key (tenant_id, action_log_id)
    references action_logs (tenant_id, id)
    on delete set null (action_log_id);

-- drover:drop
alter table workflow_steps
  drop constraint workflow_steps_action_log_id_fkey,
  add constraint workflow_steps_action_log_id_fkey
    foreign key (tenant_id, action_log_id)
    references action_logs (tenant_id, id)
    on delete set null;
