-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table workflows
  drop constraint workflows_created_by_fkey,
  add constraint workflows_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null (created_by);

-- drover:drop
alter table workflows
  drop constraint workflows_created_by_fkey,
  add constraint workflows_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null;
