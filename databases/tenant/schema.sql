-- The schema that a history builds, in one file. drover snapshot, format 1
-- Do not edit it: pnpm migrate snapshot -d tenant writes it, and pnpm migrate check proves it.
-- history: databases/tenant/migrations
-- tenants: drover_tenant stands for the schema of each
-- heads: 622e713fe737
-- content: sha256:ab83c5275c8051b7bdf1e0e9bbd1c156ffaa5a21d97e379515a4ea9a10bc5d13
-- revisions: 4
--   2ecaf0f10053 0d4c3956f510e2551fc0bd1924729a158f299c47119ebcee87c716685187e9cd
--   9d9ba5cdb43f 40476987191ee264f657c9ad34175b73708c6c0d10bb95f420689418bb62ad55
--   92543e3dce67 923fd8d894cd2b8b5736b866cbb5b5482974db5c5d528714f2b4922b824b4791
--   622e713fe737 512da359539c30cdfbe3607349d21b1368805608ec06b930e5f672cc6a9eaba0

do $do$
begin
  if to_regprocedure('tenant_shared.touch_updated_at()') is null then
    perform pg_advisory_xact_lock(hashtextextended('tenant_shared.touch_updated_at', 0));
    -- Not to_regprocedure again: it remembers that there was none, and the end of a wait for an advisory lock does not
    -- make it forget. A query of the catalog sees what was made meanwhile.
    if not exists (
      select from pg_proc
      where proname = 'touch_updated_at'
        and pronargs = 0
        and pronamespace = (select oid from pg_namespace where nspname = 'tenant_shared')
    ) then
      create schema if not exists tenant_shared;

      create function tenant_shared.touch_updated_at() returns trigger
        language plpgsql
        set search_path = pg_catalog, pg_temp
      as $$
begin
  new.updated_at := now();
  return new;
end
$$;

      -- Tenants may belong to different roles.
      grant usage on schema tenant_shared to public;
      grant execute on function tenant_shared.touch_updated_at() to public;

      comment on schema tenant_shared is 'What the schemas of all tenants have in common.';
      comment on function tenant_shared.touch_updated_at() is
        'Sets updated_at to the time of the transaction, before each update.';
    end if;
  end if;
end
$do$;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE SCHEMA IF NOT EXISTS drover_tenant;

CREATE TABLE drover_tenant.contexts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind character varying(50) NOT NULL,
    title character varying(255) NOT NULL,
    description text,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    source text,
    version integer DEFAULT 1 NOT NULL,
    expires_at timestamp with time zone,
    created_by uuid,
    updated_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    access_count bigint DEFAULT 0 NOT NULL,
    last_accessed_at timestamp with time zone,
    is_archived boolean DEFAULT false NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT contexts_json_check CHECK (((jsonb_typeof(data) = 'object'::text) AND (jsonb_typeof(tags) = 'array'::text) AND (jsonb_typeof(metadata) = 'object'::text))),
    CONSTRAINT contexts_usage_check CHECK (((access_count >= 0) AND (is_archived = (archived_at IS NOT NULL)))),
    CONSTRAINT contexts_version_check CHECK ((version > 0))
);

COMMENT ON TABLE drover_tenant.contexts IS 'What the tenant has stored for its models to work with.';

COMMENT ON COLUMN drover_tenant.contexts.kind IS 'What sort of thing it is, in the words of the application: document, conversation, code.';

COMMENT ON COLUMN drover_tenant.contexts.data IS 'The content itself.';

COMMENT ON COLUMN drover_tenant.contexts.tags IS 'Words by which it is found: an array of strings.';

COMMENT ON COLUMN drover_tenant.contexts.metadata IS 'What services note about it; not shown to models.';

COMMENT ON COLUMN drover_tenant.contexts.source IS 'Where it came from: a URL or the name of a service.';

COMMENT ON COLUMN drover_tenant.contexts.version IS 'Counted up by the application with every change of data, so that two writers notice each other.';

COMMENT ON COLUMN drover_tenant.contexts.expires_at IS 'When it may be deleted; null for one that is kept.';

COMMENT ON COLUMN drover_tenant.contexts.created_by IS 'users.id of the main database. No foreign key: it may be elsewhere.';

COMMENT ON COLUMN drover_tenant.contexts.updated_by IS 'users.id of the main database. No foreign key: it may be elsewhere.';

COMMENT ON COLUMN drover_tenant.contexts.access_count IS 'How often it was given to a model.';

COMMENT ON COLUMN drover_tenant.contexts.last_accessed_at IS 'When it was last given to a model; null for never.';

COMMENT ON COLUMN drover_tenant.contexts.is_archived IS 'Kept, and left out of what models are given.';

COMMENT ON COLUMN drover_tenant.contexts.archived_at IS 'Since when it is archived.';

CREATE TABLE drover_tenant.summaries (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    context_id uuid NOT NULL,
    context_version integer NOT NULL,
    kind text DEFAULT 'abstract'::text NOT NULL,
    content text,
    quality_score double precision,
    confidence_score double precision,
    input_tokens integer DEFAULT 0 NOT NULL,
    output_tokens integer DEFAULT 0 NOT NULL,
    model text,
    model_parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    processing_time_ms integer,
    retry_count integer DEFAULT 0 NOT NULL,
    next_retry_at timestamp with time zone,
    error_message text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT summaries_counts_check CHECK (((context_version > 0) AND (input_tokens >= 0) AND (output_tokens >= 0) AND (retry_count >= 0) AND (processing_time_ms >= 0))),
    CONSTRAINT summaries_json_check CHECK (((jsonb_typeof(model_parameters) = 'object'::text) AND (jsonb_typeof(metadata) = 'object'::text))),
    CONSTRAINT summaries_kind_check CHECK ((kind = ANY (ARRAY['abstract'::text, 'key_points'::text, 'title'::text, 'full'::text]))),
    CONSTRAINT summaries_scores_check CHECK (((quality_score BETWEEN (0)::double precision AND (1)::double precision) AND ((confidence_score >= (0)::double precision) AND (confidence_score <= (1)::double precision)))),
    CONSTRAINT summaries_status_check CHECK (
CASE status
    WHEN 'pending'::text THEN (completed_at IS NULL)
    WHEN 'processing'::text THEN (completed_at IS NULL)
    WHEN 'completed'::text THEN ((completed_at IS NOT NULL) AND (content IS NOT NULL))
    WHEN 'failed'::text THEN (error_message IS NOT NULL)
    ELSE false
END)
);

COMMENT ON TABLE drover_tenant.summaries IS 'What models have made of contexts; goes with the context.';

COMMENT ON COLUMN drover_tenant.summaries.context_version IS 'contexts.version as it was read. Where that has moved on, the summary is out of date.';

COMMENT ON COLUMN drover_tenant.summaries.content IS 'The summary itself; null until it is there.';

COMMENT ON COLUMN drover_tenant.summaries.quality_score IS 'How good it was found to be, from 0 to 1; null when nobody has looked.';

COMMENT ON COLUMN drover_tenant.summaries.confidence_score IS 'How sure the model was of it, from 0 to 1; null when it did not say.';

COMMENT ON COLUMN drover_tenant.summaries.input_tokens IS 'Tokens that the model has read, all tries together.';

COMMENT ON COLUMN drover_tenant.summaries.output_tokens IS 'Tokens that the model has written, all tries together.';

COMMENT ON COLUMN drover_tenant.summaries.model IS 'Name and version of the model; null until one has taken it up.';

COMMENT ON COLUMN drover_tenant.summaries.model_parameters IS 'What the model was called with: temperature, prompt. No secrets.';

COMMENT ON COLUMN drover_tenant.summaries.processing_time_ms IS 'How long the last try took, in milliseconds.';

COMMENT ON COLUMN drover_tenant.summaries.retry_count IS 'How many tries have failed.';

COMMENT ON COLUMN drover_tenant.summaries.next_retry_at IS 'When a pending one is tried again; null for at once.';

COMMENT ON COLUMN drover_tenant.summaries.error_message IS 'Why the last try failed.';

COMMENT ON COLUMN drover_tenant.summaries.metadata IS 'What services note about it.';

ALTER TABLE ONLY drover_tenant.contexts
    ADD CONSTRAINT contexts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY drover_tenant.summaries
    ADD CONSTRAINT summaries_pkey PRIMARY KEY (id);

CREATE INDEX contexts_archived_at_idx ON drover_tenant.contexts USING btree (archived_at) WHERE is_archived;

CREATE INDEX contexts_created_at_idx ON drover_tenant.contexts USING btree (created_at DESC);

CREATE INDEX contexts_expires_at_idx ON drover_tenant.contexts USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX contexts_kind_created_at_idx ON drover_tenant.contexts USING btree (kind, created_at DESC);

CREATE INDEX contexts_last_accessed_at_idx ON drover_tenant.contexts USING btree (last_accessed_at NULLS FIRST) WHERE (NOT is_archived);

CREATE INDEX contexts_tags_idx ON drover_tenant.contexts USING gin (tags);

CREATE INDEX summaries_context_id_created_at_idx ON drover_tenant.summaries USING btree (context_id, created_at DESC);

CREATE INDEX summaries_context_id_kind_idx ON drover_tenant.summaries USING btree (context_id, kind, context_version DESC) WHERE (status = 'completed'::text);

CREATE INDEX summaries_model_created_at_idx ON drover_tenant.summaries USING btree (model, created_at DESC);

CREATE INDEX summaries_pending_idx ON drover_tenant.summaries USING btree (next_retry_at NULLS FIRST, created_at) WHERE (status = 'pending'::text);

CREATE INDEX summaries_quality_score_idx ON drover_tenant.summaries USING btree (quality_score) WHERE (status = 'completed'::text);

CREATE INDEX summaries_unfinished_idx ON drover_tenant.summaries USING btree (status, updated_at) WHERE (status = ANY (ARRAY['processing'::text, 'failed'::text]));

CREATE TRIGGER contexts_touch_updated_at BEFORE UPDATE ON drover_tenant.contexts FOR EACH ROW EXECUTE FUNCTION tenant_shared.touch_updated_at();

CREATE TRIGGER summaries_touch_updated_at BEFORE UPDATE ON drover_tenant.summaries FOR EACH ROW EXECUTE FUNCTION tenant_shared.touch_updated_at();

ALTER TABLE ONLY drover_tenant.summaries
    ADD CONSTRAINT summaries_context_id_fkey FOREIGN KEY (context_id) REFERENCES drover_tenant.contexts(id) ON DELETE CASCADE;
