comment on table workflow_runs is 'Executions of a workflow.';
comment on column workflow_runs.triggered_by is 'Null for a run that the system started, and when the user is gone.';
