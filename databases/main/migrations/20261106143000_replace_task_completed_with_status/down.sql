-- Makes tasks.completed again from tasks.status, with updated_at untouched as on the way up.

alter table tasks
  add column completed boolean not null default false;

alter table tasks
  disable trigger tasks_set_updated_at;

update tasks
set completed = true
where status = 'done';

alter table tasks
  enable trigger tasks_set_updated_at;

drop index tasks_tenant_id_status_idx;
drop index tasks_user_id_open_idx;

-- Lost: which open tasks were begun, and which were cancelled; both kinds come back as not completed.
alter table tasks
  drop column status;

create index tasks_user_id_open_idx
  on tasks (user_id, created_at desc)
  where not completed;
create index tasks_tenant_id_completed_idx on tasks (tenant_id, completed);

drop type task_status;
