comment on table audit_logs is
  'Who did what to which data, and when (Articles 5(2) and 30). Only ever added to: see verify_audit_logs. '
  'Kept for 7 years, also when the person it names has been erased: then under a pseudonym (Article 17(3)(b)).';
comment on constraint audit_logs_timestamp_not_future on audit_logs is
  'Reads the clock, and may: a row that was accepted once is accepted at any later moment, a restore included.';
comment on index audit_logs_user_id_idx is
  'Everything a person has done (Article 15).';
comment on index audit_logs_timestamp_idx is
  'The latest entries first, and those past their 7 years.';
comment on index audit_logs_action_idx is
  'Every time one thing was done.';
comment on index audit_logs_resource_idx is
  'Everything that was done to one thing.';
comment on index audit_logs_user_id_timestamp_action_idx is
  'What a person did within a time, the latest first, without reading the table.';
comment on index audit_logs_retention_idx is
  'Serves audit_logs_for_archival.';
comment on index audit_logs_sequence_key is
  'The chain of entries: its end, where the next one goes, and its order, in which verify_audit_logs follows it.';
