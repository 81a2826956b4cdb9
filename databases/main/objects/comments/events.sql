comment on table events is 'Gatherings open to a circle or, without one, to the whole tenant.';
comment on column events.circle_id is 'Null for an event of the whole tenant.';
comment on column events.capacity is 'Null for no limit.';
