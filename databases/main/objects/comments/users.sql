comment on table users is
  'People, each of one tenant. Passwords, second factors and tokens are in the credentials database.';
comment on column users.external_id is 'Id of the user at the tenant''s identity provider.';
comment on column users.full_name is 'The name as the user writes it, where it is more than first and last name.';
comment on column users.is_admin is 'May administer the tenant.';
comment on column users.is_verified is 'Somebody has confirmed who this is; says nothing about address or phone.';
comment on column users.timezone is 'IANA name, such as Europe/Berlin.';
comment on column users.language is 'BCP 47 tag, such as en or pt-BR.';
