comment on table role_audit_logs is 'Who gave, took or changed which role. The application only ever adds to it.';
comment on column role_audit_logs.user_id is
  'Whose role it is; null when the user is gone, or when the role itself changed.';
comment on column role_audit_logs.role_name is 'Name of the role at that time; outlives the role.';
