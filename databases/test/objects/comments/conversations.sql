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
comment on index conversations_retention_idx is
  'Serves conversations_for_cleanup.';
