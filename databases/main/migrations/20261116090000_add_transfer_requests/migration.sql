-- A member asks to move from one circle to another, and somebody decides.

create type transfer_status as enum ('pending', 'approved', 'denied', 'withdrawn');

create table transfer_requests (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  user_id uuid not null,
  from_circle_id uuid not null,
  to_circle_id uuid not null,
  reason text,
  status transfer_status not null default 'pending',
  decided_by uuid,
  decided_at timestamptz,
  decision_note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint transfer_requests_user_id_fkey
    foreign key (tenant_id, user_id)
    references users (tenant_id, id)
    on delete cascade,
  constraint transfer_requests_from_circle_id_fkey
    foreign key (tenant_id, from_circle_id)
    references circles (tenant_id, id)
    on delete cascade,
  constraint transfer_requests_to_circle_id_fkey
    foreign key (tenant_id, to_circle_id)
    references circles (tenant_id, id)
    on delete cascade,
  constraint transfer_requests_decided_by_fkey
    foreign key (tenant_id, decided_by)
    references users (tenant_id, id)
    on delete set null (decided_by),
  constraint transfer_requests_circles_check check (from_circle_id <> to_circle_id),
  constraint transfer_requests_decided_at_check check (
    (decided_at is not null) = (status in ('approved', 'denied'))
  )
);

create unique index transfer_requests_pending_key
  on transfer_requests (user_id, from_circle_id)
  where status = 'pending';
create index transfer_requests_user_id_idx on transfer_requests (user_id);
create index transfer_requests_from_circle_id_idx on transfer_requests (from_circle_id);
create index transfer_requests_to_circle_id_idx on transfer_requests (to_circle_id);
create index transfer_requests_decided_by_idx
  on transfer_requests (decided_by)
  where decided_by is not null;
create index transfer_requests_tenant_id_pending_idx
  on transfer_requests (tenant_id, created_at desc)
  where status = 'pending';

create trigger transfer_requests_set_updated_at
  before update on transfer_requests
  for each row
  execute function set_updated_at();

comment on table transfer_requests is 'Requests of members to move from one circle to another.';
comment on column transfer_requests.decided_at is 'Set for approved and denied requests, and only for those.';
