-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table teams
  drop constraint teams_created_by_fkey,
  add constraint teams_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null (created_by);

-- drover:drop
alter table teams
  drop constraint teams_created_by_fkey,
  add constraint teams_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null;
