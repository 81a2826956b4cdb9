comment on table task_shares is 'Tasks that others than their owner may see or edit.';
