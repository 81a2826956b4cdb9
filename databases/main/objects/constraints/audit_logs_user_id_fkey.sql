-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table audit_logs
  drop constraint audit_logs_user_id_fkey,
  add constraint audit_logs_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete set null (user_id);

-- drover:drop
alter table audit_logs
  drop constraint audit_logs_user_id_fkey,
  add constraint audit_logs_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete set null;
