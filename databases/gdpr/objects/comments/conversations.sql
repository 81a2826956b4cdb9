comment on table conversations is
  'What people and the assistant have said to each other. Kept for 90 days after the last message, or, archived, until '
  'the person deletes it or is erased (Articles 5(1)(e) and 17).';
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
