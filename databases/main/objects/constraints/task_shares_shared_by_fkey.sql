-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table task_shares
  drop constraint task_shares_shared_by_fkey,
  add constraint task_shares_shared_by_fkey
    foreign key (tenant_id, shared_by)
    references users (tenant_id, id)
    on delete set null (shared_by);

-- drover:drop
alter table task_shares
  drop constraint task_shares_shared_by_fkey,
  add constraint task_shares_shared_by_fkey
    foreign key (tenant_id, shared_by)
    references users (tenant_id, id)
    on delete set null;
