-- Tenants, the people who belong to them, and what those people may do.
--
-- A row that belongs to a tenant refers to a user by (tenant_id, user), never by the user alone: users_tenant_id_id_key
-- is there for those foreign keys, and they make a reference across tenants impossible.

create table tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null,
  description text,
  is_active boolean not null default true,
  settings jsonb not null default '{}',
  provider_configs jsonb not null default '{}',
  metadata jsonb not null default '{}',
  api_key_hash text,
  max_contexts integer not null default 10000,
  max_storage_mb integer not null default 1000,
  subscription_tier text not null default 'basic',
  subscription_expires_at timestamptz,
  stripe_customer_id text,
  stripe_subscription_id text,
  billing_email text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint tenants_slug_key unique (slug),
  constraint tenants_api_key_hash_key unique (api_key_hash),
  constraint tenants_stripe_customer_id_key unique (stripe_customer_id),
  constraint tenants_stripe_subscription_id_key unique (stripe_subscription_id),
  constraint tenants_name_check check (char_length(name) between 1 and 255),
  constraint tenants_slug_check check (slug ~ '^[a-z0-9-]+$' and char_length(slug) <= 100),
  constraint tenants_settings_check check (jsonb_typeof(settings) = 'object'),
  constraint tenants_provider_configs_check check (jsonb_typeof(provider_configs) = 'object'),
  constraint tenants_metadata_check check (jsonb_typeof(metadata) = 'object'),
  constraint tenants_max_contexts_check check (max_contexts > 0),
  constraint tenants_max_storage_mb_check check (max_storage_mb > 0),
  constraint tenants_subscription_tier_check check (
    subscription_tier in ('free', 'basic', 'professional', 'enterprise')
  ),
  constraint tenants_billing_email_check check (
    billing_email like '%_@_%'
    and char_length(billing_email) <= 320
  )
);

create table users (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null,
  email text not null,
  external_id text,
  username text,
  first_name text,
  last_name text,
  full_name text,
  phone text,
  bio text,
  image_url text,
  is_active boolean not null default true,
  is_admin boolean not null default false,
  is_verified boolean not null default false,
  email_verified boolean not null default false,
  phone_verified boolean not null default false,
  preferences jsonb not null default '{}',
  timezone text not null default 'UTC',
  language text not null default 'en',
  last_login_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_tenant_id_id_key unique (tenant_id, id),
  constraint users_tenant_id_fkey
    foreign key (tenant_id)
    references tenants (id)
    on delete cascade,
  constraint users_email_check check (email like '%_@_%' and char_length(email) <= 320),
  constraint users_username_check check (char_length(username) between 1 and 100),
  constraint users_full_name_check check (char_length(full_name) <= 255),
  constraint users_phone_check check (phone ~ '^\+?[0-9 ()./-]{4,32}$'),
  constraint users_bio_check check (char_length(bio) <= 2000),
  constraint users_preferences_check check (jsonb_typeof(preferences) = 'object'),
  constraint users_language_check check (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$')
);

create table permissions (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  resource text not null,
  action text not null,
  description text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint permissions_resource_action_key unique (resource, action),
  constraint permissions_name_key unique (name),
  constraint permissions_name_check check (
    name ~ '^[a-z][a-z0-9_]*([.:][a-z][a-z0-9_]*)*$'
    and char_length(name) <= 100
  ),
  constraint permissions_resource_check check (char_length(resource) between 1 and 100),
  constraint permissions_action_check check (char_length(action) between 1 and 50)
);

create table roles (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  display_name text not null,
  description text,
  priority integer not null default 0,
  is_system boolean not null default false,
  is_assignable boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint roles_name_key unique (name),
  constraint roles_name_check check (name ~ '^[a-z][a-z0-9_]*$' and char_length(name) <= 100),
  constraint roles_display_name_check check (char_length(display_name) between 1 and 100)
);

create table role_permissions (
  role_id uuid not null,
  permission_id uuid not null,
  granted_by uuid,
  granted_at timestamptz not null default now(),
  constraint role_permissions_pkey primary key (role_id, permission_id),
  constraint role_permissions_role_id_fkey
    foreign key (role_id)
    references roles (id)
    on delete cascade,
  constraint role_permissions_permission_id_fkey
    foreign key (permission_id)
    references permissions (id)
    on delete cascade,
  constraint role_permissions_granted_by_fkey
    foreign key (granted_by)
    references users (id)
    on delete set null
);

create table user_roles (
  user_id uuid not null,
  role_id uuid not null,
  is_primary boolean not null default false,
  assigned_by uuid,
  assigned_at timestamptz not null default now(),
  expires_at timestamptz,
  constraint user_roles_pkey primary key (user_id, role_id),
  constraint user_roles_user_id_fkey
    foreign key (user_id)
    references users (id)
    on delete cascade,
  -- No action: a role that somebody still has cannot be deleted by accident.
  constraint user_roles_role_id_fkey
    foreign key (role_id)
    references roles (id),
  constraint user_roles_assigned_by_fkey
    foreign key (assigned_by)
    references users (id)
    on delete set null,
  constraint user_roles_expires_at_check check (expires_at > assigned_at)
);

create table role_audit_logs (
  id bigint generated always as identity primary key,
  user_id uuid,
  role_id uuid,
  role_name text not null,
  action text not null,
  performed_by uuid,
  reason text,
  changes jsonb not null default '{}',
  ip_address inet,
  user_agent text,
  created_at timestamptz not null default now(),
  constraint role_audit_logs_user_id_fkey
    foreign key (user_id)
    references users (id)
    on delete set null,
  constraint role_audit_logs_role_id_fkey
    foreign key (role_id)
    references roles (id)
    on delete set null,
  constraint role_audit_logs_performed_by_fkey
    foreign key (performed_by)
    references users (id)
    on delete set null,
  constraint role_audit_logs_action_check check (
    action in ('assigned', 'revoked', 'expired', 'made_primary', 'permission_granted', 'permission_revoked')
  ),
  constraint role_audit_logs_changes_check check (jsonb_typeof(changes) = 'object')
);

create index tenants_active_idx
  on tenants (created_at desc)
  where is_active;
create index tenants_subscription_expires_at_idx
  on tenants (subscription_expires_at)
  where subscription_expires_at is not null;

create unique index users_tenant_id_email_key on users (tenant_id, lower(email));
create unique index users_tenant_id_username_key on users (tenant_id, lower(username));
create unique index users_tenant_id_external_id_key on users (tenant_id, external_id);
create index users_email_idx on users (lower(email));
create index users_tenant_id_created_at_idx on users (tenant_id, created_at desc);
create index users_tenant_id_last_login_at_idx
  on users (tenant_id, last_login_at desc nulls last)
  where is_active;
create index users_preferences_idx on users using gin (preferences jsonb_path_ops);

create index roles_assignable_idx
  on roles (priority desc, name)
  where is_assignable;

create index role_permissions_permission_id_idx on role_permissions (permission_id);
create index role_permissions_granted_by_idx
  on role_permissions (granted_by)
  where granted_by is not null;

create unique index user_roles_primary_key
  on user_roles (user_id)
  where is_primary;
create index user_roles_role_id_idx on user_roles (role_id);
create index user_roles_assigned_by_idx
  on user_roles (assigned_by)
  where assigned_by is not null;
create index user_roles_expires_at_idx
  on user_roles (expires_at)
  where expires_at is not null;

create index role_audit_logs_user_id_created_at_idx on role_audit_logs (user_id, created_at desc);
create index role_audit_logs_role_id_created_at_idx on role_audit_logs (role_id, created_at desc);
create index role_audit_logs_performed_by_idx
  on role_audit_logs (performed_by)
  where performed_by is not null;
create index role_audit_logs_created_at_idx on role_audit_logs (created_at desc);

-- One function for every table with an updated_at column.
create function set_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

create trigger tenants_set_updated_at
  before update on tenants
  for each row
  execute function set_updated_at();

create trigger users_set_updated_at
  before update on users
  for each row
  execute function set_updated_at();

create trigger permissions_set_updated_at
  before update on permissions
  for each row
  execute function set_updated_at();

create trigger roles_set_updated_at
  before update on roles
  for each row
  execute function set_updated_at();

comment on function set_updated_at() is 'Sets updated_at to the time of the transaction, before each update.';
comment on table tenants is 'Customers of the platform.';
comment on column tenants.slug is 'Name in addresses, and of the tenant''s schema in the tenant database.';
comment on column tenants.settings is 'What the tenant itself may change.';
comment on column tenants.provider_configs is 'Configuration of outside services, by provider. No secrets.';
comment on column tenants.metadata is 'What the platform notes about the tenant.';
comment on column tenants.api_key_hash is
  'Hash of the key that services of the tenant sign in with; the key itself is kept nowhere.';
comment on column tenants.max_contexts is 'How many contexts the tenant may store.';
comment on column tenants.max_storage_mb is 'How much the tenant may store, in mebibytes.';
comment on column tenants.subscription_expires_at is 'End of the paid period; null for one without an end.';
comment on column tenants.billing_email is 'Where invoices go.';
comment on table users is
  'People, each of one tenant. Passwords, second factors and tokens are in the credentials database.';
comment on column users.external_id is 'Id of the user at the tenant''s identity provider.';
comment on column users.full_name is 'The name as the user writes it, where it is more than first and last name.';
comment on column users.is_admin is 'May administer the tenant.';
comment on column users.is_verified is 'Somebody has confirmed who this is; says nothing about address or phone.';
comment on column users.timezone is 'IANA name, such as Europe/Berlin.';
comment on column users.language is 'BCP 47 tag, such as en or pt-BR.';
comment on table permissions is 'Things that can be allowed: an action on a kind of resource.';
comment on column permissions.name is 'The name that code asks for, such as circle.update.';
comment on table roles is 'Named sets of permissions, the same for all tenants.';
comment on column roles.priority is 'Of several roles the one with the highest priority decides.';
comment on column roles.is_system is 'Code depends on this role; it is neither renamed nor deleted.';
comment on column roles.is_assignable is 'Can be given to users; false for roles that only code takes on.';
comment on table role_permissions is 'Which role allows what.';
comment on table user_roles is 'Which user has which role.';
comment on column user_roles.is_primary is 'The role shown beside the user''s name; at most one.';
comment on column user_roles.expires_at is 'The role no longer counts from here on; null for one without an end.';
comment on table role_audit_logs is 'Who gave, took or changed which role. The application only ever adds to it.';
comment on column role_audit_logs.user_id is
  'Whose role it is; null when the user is gone, or when the role itself changed.';
comment on column role_audit_logs.role_name is 'Name of the role at that time; outlives the role.';
