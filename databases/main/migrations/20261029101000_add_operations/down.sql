-- Lost: the action log, the audit trail, all idempotency keys, all workflows and their runs.

drop table workflow_steps;
drop table workflow_runs;
drop table workflows;
drop table idempotency_keys;
drop table audit_logs;
drop table action_logs;

drop type workflow_step_status;
drop type workflow_run_status;
drop type workflow_status;
drop type audit_status;
drop type action_status;
drop type action_type;
