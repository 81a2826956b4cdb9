comment on table permissions is 'Things that can be allowed: an action on a kind of resource.';
comment on column permissions.name is 'The name that code asks for, such as circle.update.';
