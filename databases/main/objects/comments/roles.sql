comment on table roles is 'Named sets of permissions, the same for all tenants.';
comment on column roles.priority is 'Of several roles the one with the highest priority decides.';
comment on column roles.is_system is 'Code depends on this role; it is neither renamed nor deleted.';
comment on column roles.is_assignable is 'Can be given to users; false for roles that only code takes on.';
