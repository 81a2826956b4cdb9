comment on table user_roles is 'Which user has which role.';
comment on column user_roles.is_primary is 'The role shown beside the user''s name; at most one.';
comment on column user_roles.expires_at is 'The role no longer counts from here on; null for one without an end.';
