-- What models make of contexts. A summary is a piece of work: it is taken up, tried and, where that fails, tried again.

create table summaries (
  id uuid not null default gen_random_uuid(),
  context_id uuid not null,
  context_version integer not null,
  kind text not null default 'abstract',
  content text,
  quality_score double precision,
  confidence_score double precision,
  input_tokens integer not null default 0,
  output_tokens integer not null default 0,
  model text,
  model_parameters jsonb not null default '{}',
  status text not null default 'pending',
  started_at timestamptz,
  completed_at timestamptz,
  processing_time_ms integer,
  retry_count integer not null default 0,
  next_retry_at timestamptz,
  error_message text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint summaries_pkey primary key (id),
  constraint summaries_context_id_fkey foreign key (context_id)
    references contexts (id) on delete cascade,
  constraint summaries_kind_check check (kind in ('abstract', 'key_points', 'title', 'full')),
  constraint summaries_scores_check
    check (quality_score between 0 and 1 and confidence_score between 0 and 1),
  constraint summaries_counts_check
    check (
      context_version > 0
      and input_tokens >= 0
      and output_tokens >= 0
      and retry_count >= 0
      and processing_time_ms >= 0
    ),
  constraint summaries_status_check
    check (
      case status
        when 'pending' then completed_at is null
        when 'processing' then completed_at is null
        when 'completed' then completed_at is not null and content is not null
        when 'failed' then error_message is not null
        else false
      end
    ),
  constraint summaries_json_check
    check (jsonb_typeof(model_parameters) = 'object' and jsonb_typeof(metadata) = 'object')
);

create index summaries_context_id_created_at_idx
  on summaries (context_id, created_at desc);

-- The summary to show: of the newest version that has one.
create index summaries_context_id_kind_idx
  on summaries (context_id, kind, context_version desc)
  where status = 'completed';

create index summaries_model_created_at_idx
  on summaries (model, created_at desc);

create index summaries_quality_score_idx
  on summaries (quality_score)
  where status = 'completed';

-- The queue: what has not been tried comes before what has failed.
create index summaries_pending_idx
  on summaries (next_retry_at nulls first, created_at)
  where status = 'pending';

-- What has been under way for too long, and what has failed for good.
create index summaries_unfinished_idx
  on summaries (status, updated_at)
  where status in ('processing', 'failed');

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
