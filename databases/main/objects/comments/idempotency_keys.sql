comment on table idempotency_keys is
  'Answers already given, so that a repeated request is answered again and not run again.';
comment on column idempotency_keys.request_hash is
  'Tells a repeated request from another one that uses the same key.';
comment on column idempotency_keys.response is 'The stored answer; null while the first request is still running.';
