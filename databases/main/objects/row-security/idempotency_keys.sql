alter table idempotency_keys force row level security;
