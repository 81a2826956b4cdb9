-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table workflow_runs
  drop constraint workflow_runs_triggered_by_fkey,
  add constraint workflow_runs_triggered_by_fkey
    foreign key (tenant_id, triggered_by)
    references users (tenant_id, id)
    on delete set null (triggered_by);

-- drover:drop
alter table workflow_runs
  drop constraint workflow_runs_triggered_by_fkey,
  add constraint workflow_runs_triggered_by_fkey
    foreign key (tenant_id, triggered_by)
    references users (tenant_id, id)
    on delete set null;
