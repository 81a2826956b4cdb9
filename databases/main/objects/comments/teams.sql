comment on table teams is 'Groups of users who share tasks.';
