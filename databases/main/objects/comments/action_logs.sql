comment on table action_logs is 'One row per action at an outside provider, from its start to its outcome.';
comment on column action_logs.provider is 'Name of the provider, a key of tenants.provider_configs.';
comment on column action_logs.execution_time_ms is
  'Time the provider took, in milliseconds; null until it has answered.';
