comment on table conversations is 'Conversations of a user with the assistant.';
