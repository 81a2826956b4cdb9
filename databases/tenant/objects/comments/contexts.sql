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
comment on column contexts.access_count is 'How often it was given to a model.';
comment on column contexts.last_accessed_at is 'When it was last given to a model; null for never.';
comment on column contexts.is_archived is 'Kept, and left out of what models are given.';
comment on column contexts.archived_at is 'Since when it is archived.';
