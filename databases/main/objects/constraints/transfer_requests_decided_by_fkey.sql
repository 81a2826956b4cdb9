-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table transfer_requests
  drop constraint transfer_requests_decided_by_fkey,
  add constraint transfer_requests_decided_by_fkey
    foreign key (tenant_id, decided_by)
    references users (tenant_id, id)
    on delete set null (decided_by);

-- drover:drop
alter table transfer_requests
  drop constraint transfer_requests_decided_by_fkey,
  add constraint transfer_requests_decided_by_fkey
    foreign key (tenant_id, decided_by)
    references users (tenant_id, id)
    on delete set null;
