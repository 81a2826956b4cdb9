-- tasks.completed told done from not done; tasks.status also tells whether a task was begun or cancelled.
--
-- All in one transaction, so tasks is locked while the backfill runs. tasks is not under row-level security: the
-- backfill, which the owner runs without a tenant, reaches every row.

create type task_status as enum ('todo', 'in_progress', 'done', 'cancelled');

alter table tasks
  add column status task_status not null default 'todo';

-- The tasks do not change, only how they are written down: updated_at, by which lists are sorted, keeps its value.
alter table tasks
  disable trigger tasks_set_updated_at;

update tasks
set status = 'done'
where completed;

alter table tasks
  enable trigger tasks_set_updated_at;

drop index tasks_tenant_id_completed_idx;
drop index tasks_user_id_open_idx;

-- Nothing is lost: status = 'done' says the same.
alter table tasks
  drop column completed;

create index tasks_user_id_open_idx
  on tasks (user_id, created_at desc)
  where status in ('todo', 'in_progress');
create index tasks_tenant_id_status_idx on tasks (tenant_id, status);

comment on column tasks.status is 'A cancelled task is neither open nor done.';
