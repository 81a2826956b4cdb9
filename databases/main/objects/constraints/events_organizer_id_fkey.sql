-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table events
  drop constraint events_organizer_id_fkey,
  add constraint events_organizer_id_fkey
    foreign key (tenant_id, organizer_id)
    references users (tenant_id, id)
    on delete set null (organizer_id);

-- drover:drop
alter table events
  drop constraint events_organizer_id_fkey,
  add constraint events_organizer_id_fkey
    foreign key (tenant_id, organizer_id)
    references users (tenant_id, id)
    on delete set null;
