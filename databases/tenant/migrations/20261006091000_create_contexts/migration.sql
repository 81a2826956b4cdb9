-- What a tenant's models work with. The history is applied to the schema of each tenant, so no name has a schema here.

create table contexts (
  id uuid not null default gen_random_uuid(),
  kind varchar(50) not null,
  title varchar(255) not null,
  description text,
  data jsonb not null default '{}',
  tags jsonb not null default '[]',
  metadata jsonb not null default '{}',
  source text,
  version integer not null default 1,
  expires_at timestamptz,
  created_by uuid,
  updated_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint contexts_pkey primary key (id),
  constraint contexts_json_check
    check (jsonb_typeof(data) = 'object' and jsonb_typeof(tags) = 'array' and jsonb_typeof(metadata) = 'object'),
  constraint contexts_version_check check (version > 0)
);

create index contexts_tags_idx
  on contexts using gin (tags);

create index contexts_created_at_idx
  on contexts (created_at desc);

create index contexts_kind_created_at_idx
  on contexts (kind, created_at desc);

create index contexts_expires_at_idx
  on contexts (expires_at)
  where expires_at is not null;

comment on table contexts is 'What the tenant has stored for its models to work with.';
comment on column contexts.kind is
  'What sort of thing it is, in the words of the application: document, conversation, code.';
comment on column contexts.data is 'The content itself.';
comment on column contexts.tags is 'Words by which it is found: an array of strings.';
comment on column contexts.metadata is 'What services note about it; not shown to models.';
comment on column contexts.source is 'Where it came from: a URL or the name of a service.';
comment on column contexts.version is
  'Counted up by the application with every change of data, so that two writers notice each other.';
comment on column contexts.expires_at is 'When it may be deleted; null for one that is kept.';
comment on column contexts.created_by is 'users.id of the main database. No foreign key: it may be elsewhere.';
comment on column contexts.updated_by is 'users.id of the main database. No foreign key: it may be elsewhere.';
