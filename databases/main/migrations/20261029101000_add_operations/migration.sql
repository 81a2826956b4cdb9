-- What services do for a tenant: actions at providers, the audit trail, idempotent requests, workflows and their runs.
-- These six tables are under row-level security; see below.

create type action_type as enum (
  'message_send',
  'message_update',
  'message_delete',
  'channel_create',
  'channel_archive',
  'email_send',
  'email_read',
  'calendar_event_create',
  'calendar_event_update',
  'calendar_event_delete',
  'file_upload',
  'file_download',
  'file_share',
  'file_delete',
  'document_create',
  'document_update',
  'issue_create',
  'issue_update',
  'issue_close',
  'comment_create',
  'search_query',
  'completion_request',
  'webhook_receive',
  'webhook_deliver'
);

create type action_status as enum ('pending', 'success', 'failure', 'timeout', 'retry');

create type audit_status as enum ('success', 'failure', 'error');

create type workflow_status as enum ('draft', 'active', 'paused', 'archived');

create type workflow_run_status as enum ('pending', 'running', 'succeeded', 'failed', 'cancelled');

create type workflow_step_status as enum ('pending', 'running', 'succeeded', 'failed', 'skipped');

create table action_logs (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  action_type action_type not null,
  provider text not null,
  request jsonb not null default '{}',
  response jsonb,
  status action_status not null default 'pending',
  error text,
  execution_time_ms integer,
  action_metadata jsonb not null default '{}',
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint action_logs_tenant_id_id_key unique (tenant_id, id),
  constraint action_logs_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint action_logs_provider_check check (char_length(provider) between 1 and 100),
  constraint action_logs_request_check check (jsonb_typeof(request) = 'object'),
  constraint action_logs_execution_time_ms_check check (execution_time_ms >= 0),
  constraint action_logs_action_metadata_check check (jsonb_typeof(action_metadata) = 'object')
);

create table audit_logs (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  user_id uuid,
  action text not null,
  resource_type text,
  resource_id text,
  request_id uuid,
  status audit_status not null default 'success',
  error_message text,
  changes jsonb not null default '{}',
  details jsonb not null default '{}',
  metadata jsonb not null default '{}',
  ip_address inet,
  user_agent text,
  occurred_at timestamptz not null default now(),
  -- Restrict: a tenant is not deleted while its trail has not been archived.
  constraint audit_logs_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete restrict,
  constraint audit_logs_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete set null (user_id),
  constraint audit_logs_action_check check (char_length(action) between 1 and 100),
  constraint audit_logs_resource_check check (resource_id is null or resource_type is not null),
  constraint audit_logs_changes_check check (jsonb_typeof(changes) = 'object'),
  constraint audit_logs_details_check check (jsonb_typeof(details) = 'object'),
  constraint audit_logs_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create table idempotency_keys (
  tenant_id uuid not null,
  key text not null,
  request_hash text,
  response_status integer,
  response jsonb,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (tenant_id, key),
  constraint idempotency_keys_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint idempotency_keys_key_check check (char_length(key) between 1 and 255),
  constraint idempotency_keys_response_status_check check (response_status between 100 and 599),
  constraint idempotency_keys_expires_at_check check (expires_at > created_at)
);

create table workflows (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  name text not null,
  version integer not null default 1,
  description text,
  definition jsonb not null default '{}',
  status workflow_status not null default 'draft',
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint workflows_tenant_id_id_key unique (tenant_id, id),
  constraint workflows_tenant_id_name_version_key unique (tenant_id, name, version),
  constraint workflows_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint workflows_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null (created_by),
  constraint workflows_name_check check (char_length(name) between 1 and 200),
  constraint workflows_version_check check (version > 0),
  constraint workflows_definition_check check (jsonb_typeof(definition) = 'object')
);

create table workflow_runs (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  workflow_id uuid not null,
  triggered_by uuid,
  status workflow_run_status not null default 'pending',
  input jsonb not null default '{}',
  output jsonb,
  error text,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint workflow_runs_tenant_id_id_key unique (tenant_id, id),
  constraint workflow_runs_workflow_id_fkey
    foreign key (tenant_id, workflow_id)
    references workflows (tenant_id, id)
    on delete cascade,
  constraint workflow_runs_triggered_by_fkey
    foreign key (tenant_id, triggered_by)
    references users (tenant_id, id)
    on delete set null (triggered_by),
  constraint workflow_runs_input_check check (jsonb_typeof(input) = 'object'),
  constraint workflow_runs_finished_at_check check (finished_at >= started_at)
);

create table workflow_steps (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  run_id uuid not null,
  position integer not null,
  name text not null,
  action_type action_type,
  action_log_id uuid,
  status workflow_step_status not null default 'pending',
  attempts integer not null default 0,
  input jsonb not null default '{}',
  output jsonb,
  error text,
  started_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint workflow_steps_run_id_position_key unique (run_id, position),
  constraint workflow_steps_run_id_fkey
    foreign key (tenant_id, run_id)
    references workflow_runs (tenant_id, id)
    on delete cascade,
  constraint workflow_steps_action_log_id_fkey
    foreign key (tenant_id, action_log_id)
    references action_logs (tenant_id, id)
    on delete set null (action_log_id),
  constraint workflow_steps_position_check check (position > 0),
  constraint workflow_steps_name_check check (char_length(name) between 1 and 200),
  constraint workflow_steps_attempts_check check (attempts >= 0),
  constraint workflow_steps_input_check check (jsonb_typeof(input) = 'object'),
  constraint workflow_steps_finished_at_check check (finished_at >= started_at)
);

create index action_logs_tenant_id_created_at_idx on action_logs (tenant_id, created_at desc);
create index action_logs_tenant_id_action_type_idx on action_logs (tenant_id, action_type, created_at desc);
create index action_logs_tenant_id_provider_idx on action_logs (tenant_id, provider, created_at desc);
create index action_logs_open_idx
  on action_logs (tenant_id, created_at)
  where status in ('pending', 'retry');
create index action_logs_failed_idx
  on action_logs (tenant_id, created_at desc)
  where status in ('failure', 'timeout');
create index action_logs_action_metadata_idx on action_logs using gin (action_metadata jsonb_path_ops);

create index audit_logs_tenant_id_occurred_at_idx on audit_logs (tenant_id, occurred_at desc);
create index audit_logs_tenant_id_action_idx on audit_logs (tenant_id, action, occurred_at desc);
create index audit_logs_user_id_idx
  on audit_logs (user_id, occurred_at desc)
  where user_id is not null;
create index audit_logs_resource_idx
  on audit_logs (tenant_id, resource_type, resource_id, occurred_at desc)
  where resource_type is not null;
create index audit_logs_request_id_idx
  on audit_logs (request_id)
  where request_id is not null;
create index audit_logs_failed_idx
  on audit_logs (tenant_id, occurred_at desc)
  where status in ('failure', 'error');
create index audit_logs_changes_idx on audit_logs using gin (changes jsonb_path_ops);

create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);

create index workflows_active_idx
  on workflows (tenant_id, name)
  where status = 'active';
create index workflows_created_by_idx
  on workflows (created_by)
  where created_by is not null;

create index workflow_runs_workflow_id_created_at_idx on workflow_runs (workflow_id, created_at desc);
create index workflow_runs_tenant_id_created_at_idx on workflow_runs (tenant_id, created_at desc);
create index workflow_runs_open_idx
  on workflow_runs (tenant_id, created_at)
  where status in ('pending', 'running');
create index workflow_runs_triggered_by_idx
  on workflow_runs (triggered_by)
  where triggered_by is not null;

create index workflow_steps_failed_idx
  on workflow_steps (tenant_id, created_at desc)
  where status = 'failed';
create index workflow_steps_action_log_id_idx
  on workflow_steps (action_log_id)
  where action_log_id is not null;

create trigger action_logs_set_updated_at
  before update on action_logs
  for each row
  execute function set_updated_at();

create trigger idempotency_keys_set_updated_at
  before update on idempotency_keys
  for each row
  execute function set_updated_at();

create trigger workflows_set_updated_at
  before update on workflows
  for each row
  execute function set_updated_at();

create trigger workflow_runs_set_updated_at
  before update on workflow_runs
  for each row
  execute function set_updated_at();

create trigger workflow_steps_set_updated_at
  before update on workflow_steps
  for each row
  execute function set_updated_at();

-- Row-level security. A session names its tenant in app.current_tenant_id; unset or empty, it matches no row.
--
-- The tenant policies are restrictive: they narrow whatever else is allowed and can only be added to, so a permissive
-- policy of a later revision cannot open another tenant's rows. A restrictive policy alone grants nothing, hence one
-- permissive policy beside them; who may run which command stays a matter of privileges.
--
-- Forced: the owner obeys them as well. A later migration runs as the owner and without a tenant, so an update or a
-- delete in it finds no row here, and succeeds; an insert is refused. A migration that must change data in these tables
-- lifts the force for its own transaction (alter table ... no force row level security, and force again at the end) or
-- runs as a role with bypassrls. Foreign keys are not affected: their checks and cascades pass row-level security.

alter table action_logs enable row level security;
alter table action_logs force row level security;

create policy action_logs_access on action_logs
  as permissive for all
  using (true)
  with check (true);

create policy action_logs_tenant_select on action_logs
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy action_logs_tenant_insert on action_logs
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy action_logs_tenant_update on action_logs
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy action_logs_tenant_delete on action_logs
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

alter table audit_logs enable row level security;
alter table audit_logs force row level security;

-- Read, append and purge; with no permissive policy for update, nobody rewrites the trail.
create policy audit_logs_read on audit_logs
  as permissive for select
  using (true);

create policy audit_logs_append on audit_logs
  as permissive for insert
  with check (true);

create policy audit_logs_purge on audit_logs
  as permissive for delete
  using (true);

create policy audit_logs_tenant_select on audit_logs
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy audit_logs_tenant_insert on audit_logs
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy audit_logs_tenant_update on audit_logs
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy audit_logs_tenant_delete on audit_logs
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;

create policy idempotency_keys_access on idempotency_keys
  as permissive for all
  using (true)
  with check (true);

create policy idempotency_keys_tenant_select on idempotency_keys
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy idempotency_keys_tenant_insert on idempotency_keys
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy idempotency_keys_tenant_update on idempotency_keys
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy idempotency_keys_tenant_delete on idempotency_keys
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

alter table workflows enable row level security;
alter table workflows force row level security;

create policy workflows_access on workflows
  as permissive for all
  using (true)
  with check (true);

create policy workflows_tenant_select on workflows
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflows_tenant_insert on workflows
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflows_tenant_update on workflows
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflows_tenant_delete on workflows
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

alter table workflow_runs enable row level security;
alter table workflow_runs force row level security;

create policy workflow_runs_access on workflow_runs
  as permissive for all
  using (true)
  with check (true);

create policy workflow_runs_tenant_select on workflow_runs
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_runs_tenant_insert on workflow_runs
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_runs_tenant_update on workflow_runs
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_runs_tenant_delete on workflow_runs
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

alter table workflow_steps enable row level security;
alter table workflow_steps force row level security;

create policy workflow_steps_access on workflow_steps
  as permissive for all
  using (true)
  with check (true);

create policy workflow_steps_tenant_select on workflow_steps
  as restrictive for select
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_steps_tenant_insert on workflow_steps
  as restrictive for insert
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_steps_tenant_update on workflow_steps
  as restrictive for update
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

create policy workflow_steps_tenant_delete on workflow_steps
  as restrictive for delete
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);

comment on table action_logs is 'One row per action at an outside provider, from its start to its outcome.';
comment on column action_logs.provider is 'Name of the provider, a key of tenants.provider_configs.';
comment on column action_logs.execution_time_ms is
  'Time the provider took, in milliseconds; null until it has answered.';
comment on table audit_logs is
  'Who did what to which resource. Append-only; purged when the retention period is over.';
comment on column audit_logs.user_id is 'Null for what the system did, and when the user is gone.';
comment on column audit_logs.resource_id is
  'Text, as resources have keys of many kinds; no foreign key, the trail outlives the resource.';
comment on column audit_logs.request_id is 'Groups the rows of one request.';
comment on column audit_logs.changes is 'Before and after of the changed fields.';
comment on table idempotency_keys is
  'Answers already given, so that a repeated request is answered again and not run again.';
comment on column idempotency_keys.request_hash is
  'Tells a repeated request from another one that uses the same key.';
comment on column idempotency_keys.response is 'The stored answer; null while the first request is still running.';
comment on table workflows is 'Definitions of workflows; a changed definition is a new version.';
comment on table workflow_runs is 'Executions of a workflow.';
comment on column workflow_runs.triggered_by is 'Null for a run that the system started, and when the user is gone.';
comment on table workflow_steps is 'Steps of a run, in order.';
comment on column workflow_steps.action_type is
  'The action that the step takes; null for a step within the platform.';
comment on column workflow_steps.action_log_id is 'The last attempt at that action.';
