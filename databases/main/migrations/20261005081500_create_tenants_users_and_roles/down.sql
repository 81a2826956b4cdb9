-- Lost: every tenant, user, role and permission, and the record of who was given which role.

drop table role_audit_logs;
drop table user_roles;
drop table role_permissions;
drop table roles;
drop table permissions;
drop table users;
drop table tenants;

drop function set_updated_at();
