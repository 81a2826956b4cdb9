-- What people talk about with the assistant, which goes when they go, and the audit trail, which does not.

create table conversations (
  conversation_id uuid not null default gen_random_uuid(),
  user_id text not null,
  title text,
  messages jsonb not null default '[]',
  created_at timestamptz not null default now(),
  last_message_at timestamptz,
  archived boolean not null default false,
  metadata jsonb not null default '{}',
  constraint conversations_pkey primary key (conversation_id),
  constraint conversations_user_id_fkey foreign key (user_id)
    references user_profiles (user_id) on delete cascade,
  constraint conversations_messages_is_array check (jsonb_typeof(messages) = 'array'),
  constraint conversations_last_message_after_created check (last_message_at >= created_at),
  constraint conversations_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

-- No foreign key on user_id, on purpose: the trail must outlive the erasure of the person it names.
--
-- audit_logs_timestamp_not_future reads the clock, which a check normally should not: PostgreSQL takes a check for
-- immutable, and a restore evaluates it again on every row. Here that is safe, because time only makes it truer: a row
-- that was accepted once is accepted at any later moment, and the five minutes also cover a restore or a replica on a
-- server whose clock is a little behind. A trigger would gain nothing and lose something: it is skipped where
-- session_replication_role is replica, it is not seen by whoever reads the table's definition, and it would have to
-- imitate the SQLSTATE (23514) and the constraint name by which applications tell this failure from others.
create table audit_logs (
  log_id uuid not null default gen_random_uuid(),
  user_id text,
  action text not null,
  resource_type text,
  resource_id text,
  timestamp timestamptz not null default now(),
  ip_address inet,
  user_agent text,
  metadata jsonb not null default '{}',
  constraint audit_logs_pkey primary key (log_id),
  constraint audit_logs_action_not_empty check (btrim(action) <> ''),
  constraint audit_logs_timestamp_not_future check (timestamp <= now() + interval '5 minutes'),
  constraint audit_logs_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

create index conversations_user_id_idx
  on conversations (user_id);

create index conversations_created_at_idx
  on conversations (created_at desc);

-- Nulls last: a conversation without a message is not the most recent one.
create index conversations_last_message_at_idx
  on conversations (last_message_at desc nulls last);

create index conversations_user_id_last_message_at_idx
  on conversations (user_id, last_message_at desc nulls last);

create index conversations_archived_idx
  on conversations (user_id, last_message_at desc nulls last)
  where archived;

create index audit_logs_user_id_idx
  on audit_logs (user_id)
  where user_id is not null;

create index audit_logs_timestamp_idx
  on audit_logs (timestamp desc);

create index audit_logs_action_idx
  on audit_logs (action);

create index audit_logs_resource_idx
  on audit_logs (resource_type, resource_id)
  where resource_type is not null and resource_id is not null;

create index audit_logs_user_id_timestamp_action_idx
  on audit_logs (user_id, timestamp desc, action)
  where user_id is not null;

comment on table conversations is
  'What people and the assistant have said to each other. Kept for 90 days after the last message, or, archived, until '
  'the person deletes it or is erased (Articles 5(1)(e) and 17).';
comment on column conversations.user_id is
  'Whose conversation it is. Basis: contract, Article 6(1)(b).';
comment on column conversations.title is
  'Finding a conversation again; may quote the person. Basis: contract, Article 6(1)(b). Kept as long as the row.';
comment on column conversations.messages is
  'The messages, oldest first, to go on with the conversation. Free text: it may hold personal data of any kind, also '
  'of others. Basis: contract, Article 6(1)(b). Kept as long as the row.';
comment on column conversations.created_at is
  'When the conversation began.';
comment on column conversations.last_message_at is
  'When the last message was added, null before the first. The 90 days count from here.';
comment on column conversations.archived is
  'True when the person has asked to keep the conversation beyond the 90 days.';
comment on column conversations.metadata is
  'Technical context, such as the model that answered. No personal data.';

comment on table audit_logs is
  'Who did what to which data, and when (Articles 5(2) and 30). The application only ever adds to it. '
  'Kept for 7 years, also when the person it names has been erased (Article 17(3)(b)).';
comment on column audit_logs.user_id is
  'Who acted, null for the system itself. Not a foreign key: it is kept, as a pseudonym, after the profile is erased. '
  'Basis: legal obligation, Article 6(1)(c). 7 years.';
comment on column audit_logs.action is
  'What was done, such as profile.export or consent.withdraw.';
comment on column audit_logs.resource_type is
  'The kind of thing it was done to, null when it was not one thing.';
comment on column audit_logs.resource_id is
  'The thing it was done to; may be the key of a person. Basis: legal obligation, Article 6(1)(c). 7 years.';
comment on column audit_logs.timestamp is
  'When it was done. At most 5 minutes ahead of this server, for clocks that differ.';
comment on column audit_logs.ip_address is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
comment on column audit_logs.user_agent is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
comment on column audit_logs.metadata is
  'Context for investigations, such as request, session and trace ids. No content of people''s data.';

comment on constraint audit_logs_timestamp_not_future on audit_logs is
  'Reads the clock, and may: a row that was accepted once is accepted at any later moment, a restore included.';

comment on index conversations_user_id_idx is
  'Everything a person has said (Article 15), and the cascade from their profile.';
comment on index conversations_created_at_idx is
  'The newest conversations first.';
comment on index conversations_last_message_at_idx is
  'The most recently used conversations first, those without a message last.';
comment on index conversations_user_id_last_message_at_idx is
  'A person''s conversations, the most recently used first.';
comment on index conversations_archived_idx is
  'A person''s archive, the most recently used first.';
comment on index audit_logs_user_id_idx is
  'Everything a person has done (Article 15).';
comment on index audit_logs_timestamp_idx is
  'The latest entries first, and those past their 7 years.';
comment on index audit_logs_action_idx is
  'Every time one thing was done.';
comment on index audit_logs_resource_idx is
  'Everything that was done to one thing.';
comment on index audit_logs_user_id_timestamp_action_idx is
  'What a person did within a time, the latest first, without reading the table.';
