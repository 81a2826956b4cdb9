-- Teams, circles and what circles do: members, meetings, attendance, events.
--
-- Foreign keys that are emptied when a user goes name the column to empty, `on delete set null (created_by)`: without
-- it tenant_id, which is part of the key and not null, would be emptied too and the delete would fail.

create type team_role as enum ('owner', 'admin', 'member', 'viewer');

create type circle_status as enum ('forming', 'active', 'paused', 'closed');

create type payment_status as enum ('pending', 'current', 'overdue', 'paused');

create type meeting_status as enum ('scheduled', 'in_progress', 'completed', 'cancelled');

create type attendance_status as enum ('invited', 'confirmed', 'attended', 'excused', 'absent');

create type event_status as enum ('draft', 'published', 'cancelled', 'completed');

create table teams (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  name text not null,
  description text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint teams_tenant_id_id_key unique (tenant_id, id),
  constraint teams_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint teams_created_by_fkey
    foreign key (tenant_id, created_by)
    references users (tenant_id, id)
    on delete set null (created_by),
  constraint teams_name_check check (char_length(name) between 1 and 200)
);

create table team_members (
  tenant_id uuid not null,
  team_id uuid not null,
  user_id uuid not null,
  role team_role not null default 'member',
  joined_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint team_members_pkey primary key (team_id, user_id),
  constraint team_members_team_id_fkey
    foreign key (tenant_id, team_id)
    references teams (tenant_id, id)
    on delete cascade,
  constraint team_members_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade
);

create table circles (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  name text not null,
  description text,
  facilitator_id uuid not null,
  capacity_min integer not null default 2,
  capacity_max integer not null default 8,
  meeting_schedule jsonb not null default '{}',
  status circle_status not null default 'forming',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint circles_tenant_id_id_key unique (tenant_id, id),
  constraint circles_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  -- No action: a facilitator is replaced before being deleted. Not restrict: that would stop a tenant's cascade too.
  constraint circles_facilitator_id_fkey
    foreign key (tenant_id, facilitator_id)
    references users (tenant_id, id),
  constraint circles_name_check check (char_length(name) between 1 and 200),
  constraint circles_capacity_check check (capacity_min > 0 and capacity_max >= capacity_min),
  constraint circles_meeting_schedule_check check (jsonb_typeof(meeting_schedule) = 'object')
);

create table circle_memberships (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  circle_id uuid not null,
  user_id uuid not null,
  payment_status payment_status not null default 'pending',
  stripe_customer_id text,
  stripe_subscription_id text,
  joined_at timestamptz not null default now(),
  left_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint circle_memberships_circle_id_user_id_key unique (circle_id, user_id),
  constraint circle_memberships_stripe_subscription_id_key unique (stripe_subscription_id),
  constraint circle_memberships_circle_id_fkey
    foreign key (tenant_id, circle_id)
    references circles (tenant_id, id)
    on delete cascade,
  constraint circle_memberships_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade,
  constraint circle_memberships_left_at_check check (left_at >= joined_at)
);

create table meetings (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  circle_id uuid not null,
  title text not null,
  agenda jsonb not null default '[]',
  location text,
  notes text,
  status meeting_status not null default 'scheduled',
  scheduled_at timestamptz not null,
  duration_minutes integer not null default 90,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint meetings_tenant_id_id_key unique (tenant_id, id),
  constraint meetings_circle_id_fkey
    foreign key (tenant_id, circle_id)
    references circles (tenant_id, id)
    on delete cascade,
  constraint meetings_title_check check (char_length(title) between 1 and 200),
  constraint meetings_agenda_check check (jsonb_typeof(agenda) = 'array'),
  constraint meetings_duration_minutes_check check (duration_minutes > 0)
);

create table meeting_attendance (
  tenant_id uuid not null,
  meeting_id uuid not null,
  user_id uuid not null,
  status attendance_status not null default 'invited',
  checked_in_at timestamptz,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint meeting_attendance_pkey primary key (meeting_id, user_id),
  constraint meeting_attendance_meeting_id_fkey
    foreign key (tenant_id, meeting_id)
    references meetings (tenant_id, id)
    on delete cascade,
  constraint meeting_attendance_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade
);

create table events (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  circle_id uuid,
  organizer_id uuid,
  title text not null,
  description text,
  event_type text not null default 'gathering',
  location text,
  starts_at timestamptz not null,
  ends_at timestamptz,
  capacity integer,
  status event_status not null default 'draft',
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint events_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint events_circle_id_fkey
    foreign key (tenant_id, circle_id)
    references circles (tenant_id, id)
    on delete cascade,
  constraint events_organizer_id_fkey
    foreign key (tenant_id, organizer_id)
    references users (tenant_id, id)
    on delete set null (organizer_id),
  constraint events_title_check check (char_length(title) between 1 and 200),
  constraint events_event_type_check check (
    event_type in ('gathering', 'workshop', 'retreat', 'social', 'online')
  ),
  constraint events_ends_at_check check (ends_at > starts_at),
  constraint events_capacity_check check (capacity > 0),
  constraint events_metadata_check check (jsonb_typeof(metadata) = 'object')
);

create unique index teams_tenant_id_name_key on teams (tenant_id, lower(name));
create index teams_created_by_idx
  on teams (created_by)
  where created_by is not null;

create index team_members_user_id_joined_at_idx on team_members (user_id, joined_at desc);
create index team_members_team_id_role_idx on team_members (team_id, role);

create index circles_facilitator_id_idx on circles (facilitator_id);
create index circles_tenant_id_status_idx on circles (tenant_id, status, created_at desc);

create index circle_memberships_user_id_idx on circle_memberships (user_id, joined_at desc);
create index circle_memberships_stripe_customer_id_idx
  on circle_memberships (stripe_customer_id)
  where stripe_customer_id is not null;
create index circle_memberships_unpaid_idx
  on circle_memberships (tenant_id, updated_at desc)
  where payment_status in ('pending', 'overdue') and left_at is null;

create index meetings_circle_id_scheduled_at_idx on meetings (circle_id, scheduled_at desc);
create index meetings_upcoming_idx
  on meetings (tenant_id, scheduled_at)
  where status = 'scheduled';

create index meeting_attendance_user_id_idx on meeting_attendance (user_id, created_at desc);

create index events_tenant_id_starts_at_idx on events (tenant_id, starts_at desc);
create index events_published_idx
  on events (tenant_id, starts_at)
  where status = 'published';
create index events_circle_id_idx
  on events (circle_id)
  where circle_id is not null;
create index events_organizer_id_idx
  on events (organizer_id)
  where organizer_id is not null;

create trigger teams_set_updated_at
  before update on teams
  for each row
  execute function set_updated_at();

create trigger team_members_set_updated_at
  before update on team_members
  for each row
  execute function set_updated_at();

create trigger circles_set_updated_at
  before update on circles
  for each row
  execute function set_updated_at();

create trigger circle_memberships_set_updated_at
  before update on circle_memberships
  for each row
  execute function set_updated_at();

create trigger meetings_set_updated_at
  before update on meetings
  for each row
  execute function set_updated_at();

create trigger meeting_attendance_set_updated_at
  before update on meeting_attendance
  for each row
  execute function set_updated_at();

create trigger events_set_updated_at
  before update on events
  for each row
  execute function set_updated_at();

comment on table teams is 'Groups of users who share tasks.';
comment on table team_members is 'Who is in which team, and as what.';
comment on table circles is 'Groups that meet regularly under a facilitator.';
comment on column circles.meeting_schedule is 'When the circle usually meets: weekday, time, frequency.';
comment on table circle_memberships is
  'Who is in which circle, and how the membership is paid. One row per person, also after coming back.';
comment on column circle_memberships.stripe_customer_id is
  'Payer of this membership; one customer may pay for several.';
comment on column circle_memberships.left_at is 'Null while a member.';
comment on table meetings is 'Single meetings of a circle.';
comment on column meetings.agenda is 'Items in order.';
comment on table meeting_attendance is 'Who was asked to a meeting, and who came.';
comment on table events is 'Gatherings open to a circle or, without one, to the whole tenant.';
comment on column events.circle_id is 'Null for an event of the whole tenant.';
comment on column events.capacity is 'Null for no limit.';
