comment on table workflow_steps is 'Steps of a run, in order.';
comment on column workflow_steps.action_type is
  'The action that the step takes; null for a step within the platform.';
comment on column workflow_steps.action_log_id is 'The last attempt at that action.';
