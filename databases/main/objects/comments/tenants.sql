comment on table tenants is 'Customers of the platform.';
comment on column tenants.slug is 'Name in addresses, and of the tenant''s schema in the tenant database.';
comment on column tenants.settings is 'What the tenant itself may change.';
comment on column tenants.provider_configs is 'Configuration of outside services, by provider. No secrets.';
comment on column tenants.metadata is 'What the platform notes about the tenant.';
comment on column tenants.api_key_hash is
  'Hash of the key that services of the tenant sign in with; the key itself is kept nowhere.';
comment on column tenants.max_contexts is 'How many contexts the tenant may store.';
comment on column tenants.max_storage_mb is 'How much the tenant may store, in mebibytes.';
comment on column tenants.subscription_expires_at is 'End of the paid period; null for one without an end.';
comment on column tenants.billing_email is 'Where invoices go.';
