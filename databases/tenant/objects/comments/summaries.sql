comment on table summaries is 'What models have made of contexts; goes with the context.';
comment on column summaries.context_version is
  'contexts.version as it was read. Where that has moved on, the summary is out of date.';
comment on column summaries.content is 'The summary itself; null until it is there.';
comment on column summaries.quality_score is 'How good it was found to be, from 0 to 1; null when nobody has looked.';
comment on column summaries.confidence_score is 'How sure the model was of it, from 0 to 1; null when it did not say.';
comment on column summaries.input_tokens is 'Tokens that the model has read, all tries together.';
comment on column summaries.output_tokens is 'Tokens that the model has written, all tries together.';
comment on column summaries.model is 'Name and version of the model; null until one has taken it up.';
comment on column summaries.model_parameters is 'What the model was called with: temperature, prompt. No secrets.';
comment on column summaries.processing_time_ms is 'How long the last try took, in milliseconds.';
comment on column summaries.retry_count is 'How many tries have failed.';
comment on column summaries.next_retry_at is 'When a pending one is tried again; null for at once.';
comment on column summaries.error_message is 'Why the last try failed.';
comment on column summaries.metadata is 'What services note about it.';
