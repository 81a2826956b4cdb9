-- Drizzle cannot name the column to empty; without it, the tenant would be emptied, too.
alter table tasks
  drop constraint tasks_team_id_fkey,
  add constraint tasks_team_id_fkey
    foreign key (tenant_id, team_id)
    references teams (tenant_id, id)
    on delete set null (team_id);

-- drover:drop
alter table tasks
  drop constraint tasks_team_id_fkey,
  add constraint tasks_team_id_fkey
    foreign key (tenant_id, team_id)
    references teams (tenant_id, id)
    on delete set null;
