comment on table meetings is 'Single meetings of a circle.';
comment on column meetings.agenda is 'Items in order.';
