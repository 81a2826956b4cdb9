drop trigger user_profiles_only_erase on user_profiles;
--> statement-breakpoint
drop trigger consent_records_refuse_truncate on consent_records;
--> statement-breakpoint
drop trigger consent_records_only_erase on consent_records;
--> statement-breakpoint
drop trigger consent_records_keep on consent_records;
--> statement-breakpoint
drop trigger audit_logs_refuse_truncate on audit_logs;
--> statement-breakpoint
drop trigger audit_logs_keep on audit_logs;
--> statement-breakpoint
drop trigger audit_logs_chain on audit_logs;
--> statement-breakpoint
drop function verify_audit_logs();
--> statement-breakpoint
drop function is_erasing(oid, text);
--> statement-breakpoint
drop function audit_log_hash(audit_logs);
--> statement-breakpoint
-- Lost: the proof that the entries are as they were written. A later upgrade starts a new chain from what is there.
alter table audit_logs
  drop constraint audit_logs_sequence_key,
  drop column sequence,
  drop column previous_hash,
  drop column hash,
  drop column actor_salt,
  drop column actor_digest,
  drop column resource_salt,
  drop column resource_digest;
--> statement-breakpoint
drop function refuse_truncate();
--> statement-breakpoint
drop function only_erase();
--> statement-breakpoint
drop function keep_consent();
--> statement-breakpoint
drop function keep_audit_log();
--> statement-breakpoint
drop function chain_audit_log();
--> statement-breakpoint
drop function audit_log_digest(uuid, text[]);
