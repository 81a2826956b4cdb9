-- What is used is kept at hand, and what is not is put away. Only adds, with constant defaults that rewrite no row: the
-- code of before goes on without it.

-- drover:allow constraint-missing-not-valid because a tenant has some ten thousand contexts, which takes milliseconds
alter table contexts
  add column access_count bigint not null default 0,
  add column last_accessed_at timestamptz,
  add column is_archived boolean not null default false,
  add column archived_at timestamptz,
  add constraint contexts_usage_check check (access_count >= 0 and is_archived = (archived_at is not null));

-- What to archive next: never used comes first.
-- drover:allow require-concurrent-index-creation because a tenant has some ten thousand contexts
create index contexts_last_accessed_at_idx
  on contexts (last_accessed_at nulls first)
  where not is_archived;

-- drover:allow require-concurrent-index-creation because a tenant has some ten thousand contexts
create index contexts_archived_at_idx
  on contexts (archived_at)
  where is_archived;

comment on column contexts.access_count is 'How often it was given to a model.';
comment on column contexts.last_accessed_at is 'When it was last given to a model; null for never.';
comment on column contexts.is_archived is 'Kept, and left out of what models are given.';
comment on column contexts.archived_at is 'Since when it is archived.';
