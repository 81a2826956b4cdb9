comment on table audit_logs is
  'Who did what to which resource. Append-only; purged when the retention period is over.';
comment on column audit_logs.user_id is 'Null for what the system did, and when the user is gone.';
comment on column audit_logs.resource_id is
  'Text, as resources have keys of many kinds; no foreign key, the trail outlives the resource.';
comment on column audit_logs.request_id is 'Groups the rows of one request.';
comment on column audit_logs.changes is 'Before and after of the changed fields.';
