-- Tasks, which can be shared, and conversations with an assistant. The indexes are the lists that the dashboard shows:
-- mine, my open ones, my team's, shared with me, latest first.

create type task_permission as enum ('view', 'edit');

create type message_role as enum ('user', 'assistant');

create table tasks (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  user_id uuid not null,
  team_id uuid,
  title text not null,
  description text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  completed boolean not null default false,
  constraint tasks_tenant_id_id_key unique (tenant_id, id),
  constraint tasks_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint tasks_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade,
  constraint tasks_team_id_fkey
    foreign key (tenant_id, team_id)
    references teams (tenant_id, id)
    on delete set null (team_id),
  constraint tasks_title_check check (char_length(title) between 1 and 200)
);

create table task_shares (
  tenant_id uuid not null,
  task_id uuid not null,
  user_id uuid not null,
  permission task_permission not null default 'view',
  shared_by uuid,
  created_at timestamptz not null default now(),
  constraint task_shares_pkey primary key (task_id, user_id),
  constraint task_shares_task_id_fkey
    foreign key (tenant_id, task_id)
    references tasks (tenant_id, id)
    on delete cascade,
  constraint task_shares_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade,
  constraint task_shares_shared_by_fkey
    foreign key (tenant_id, shared_by)
    references users (tenant_id, id)
    on delete set null (shared_by)
);

create table conversations (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  user_id uuid not null,
  title text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint conversations_tenant_id_id_key unique (tenant_id, id),
  constraint conversations_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint conversations_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade,
  constraint conversations_title_check check (char_length(title) <= 200)
);

create table messages (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  conversation_id uuid not null,
  role message_role not null,
  content text not null,
  created_at timestamptz not null default now(),
  constraint messages_conversation_id_fkey
    foreign key (tenant_id, conversation_id)
    references conversations (tenant_id, id)
    on delete cascade,
  constraint messages_content_check check (char_length(content) between 1 and 10000)
);

create index tasks_user_id_created_at_idx on tasks (user_id, created_at desc);
create index tasks_team_id_created_at_idx
  on tasks (team_id, created_at desc)
  where team_id is not null;
create index tasks_tenant_id_updated_at_idx on tasks (tenant_id, updated_at desc);
create index tasks_user_id_open_idx
  on tasks (user_id, created_at desc)
  where not completed;
create index tasks_tenant_id_completed_idx on tasks (tenant_id, completed);

create index task_shares_user_id_created_at_idx on task_shares (user_id, created_at desc);
create index task_shares_shared_by_idx
  on task_shares (shared_by)
  where shared_by is not null;

create index conversations_user_id_updated_at_idx on conversations (user_id, updated_at desc);
create index conversations_tenant_id_created_at_idx on conversations (tenant_id, created_at desc);

create index messages_conversation_id_created_at_idx on messages (conversation_id, created_at desc);

create trigger tasks_set_updated_at
  before update on tasks
  for each row
  execute function set_updated_at();

create trigger conversations_set_updated_at
  before update on conversations
  for each row
  execute function set_updated_at();

comment on table tasks is 'Things to do, each of one user, some within a team.';
comment on table task_shares is 'Tasks that others than their owner may see or edit.';
comment on table conversations is 'Conversations of a user with the assistant.';
comment on table messages is 'What was said in a conversation. The application does not change it afterwards.';
