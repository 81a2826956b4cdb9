-- What is due: views for the clean-up and archival jobs, each with an index that answers it. now() cannot stand in an
-- index predicate, so the indexes carry the part of the condition that does not move. They are built in this
-- transaction: writes to the two tables wait until it is done.
--
-- archived_at makes archival resumable: without it the view would offer the same seven years again on every run.

alter table audit_logs
  add column archived_at timestamptz,
  add constraint audit_logs_archived_after_timestamp check (archived_at >= timestamp);

-- A conversation without a message counts from its creation, or it would be kept for ever.
create index conversations_retention_idx
  on conversations (coalesce(last_message_at, created_at))
  where not archived;

create index audit_logs_retention_idx
  on audit_logs (timestamp)
  where archived_at is null;

create view conversations_for_cleanup with (security_invoker = true) as
select
  conversation_id,
  user_id,
  title,
  created_at,
  last_message_at,
  now() - coalesce(last_message_at, created_at) as age
from conversations
where not archived
  and coalesce(last_message_at, created_at) < now() - interval '90 days'
order by coalesce(last_message_at, created_at);

create view audit_logs_for_archival with (security_invoker = true) as
select
  log_id,
  user_id,
  action,
  timestamp,
  now() - timestamp as age
from audit_logs
where archived_at is null
  and timestamp < now() - interval '90 days'
  and timestamp >= now() - interval '7 years'
order by timestamp;

comment on column audit_logs.archived_at is
  'When the row was copied to cold storage, null until then.';

comment on index conversations_retention_idx is
  'Serves conversations_for_cleanup.';
comment on index audit_logs_retention_idx is
  'Serves audit_logs_for_archival.';

comment on view conversations_for_cleanup is
  'Conversations to delete, the oldest first: not archived, and 90 days past their last message (Article 5(1)(e)).';
comment on column conversations_for_cleanup.age is
  'Time since the last message, or since creation when there is none.';
comment on view audit_logs_for_archival is
  'Audit entries to copy to cold storage, the oldest first: past 90 days, within the 7 years, and not copied yet. '
  'Entries past the 7 years are not in it: they are due for deletion (Article 5(1)(e)).';
comment on column audit_logs_for_archival.age is
  'Time since the entry was made.';
