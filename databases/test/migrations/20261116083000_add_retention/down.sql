drop view audit_logs_for_archival;
drop view conversations_for_cleanup;

drop index audit_logs_retention_idx;
drop index conversations_retention_idx;

-- Lost: which audit entries are in cold storage already. The next archival would copy them again.
alter table audit_logs
  drop constraint audit_logs_archived_after_timestamp,
  drop column archived_at;
