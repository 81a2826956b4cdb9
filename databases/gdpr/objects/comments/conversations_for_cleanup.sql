comment on view conversations_for_cleanup is
  'Conversations to delete, the oldest first: not archived, and 90 days past their last message (Article 5(1)(e)).';
comment on column conversations_for_cleanup.age is
  'Time since the last message, or since creation when there is none.';
