create schema tenant_shared;

comment on schema tenant_shared is 'What the schemas of all tenants have in common.';

grant usage on schema tenant_shared to public;
