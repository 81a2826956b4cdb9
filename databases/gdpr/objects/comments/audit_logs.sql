comment on table audit_logs is
  'Who did what to which data, and when (Articles 5(2) and 30). The application only ever adds to it. '
  'Kept for 7 years, also when the person it names has been erased (Article 17(3)(b)).';
comment on column audit_logs.user_id is
  'Who acted, null for the system itself. Not a foreign key: it is kept, as a pseudonym, after the profile is erased. '
  'Basis: legal obligation, Article 6(1)(c). 7 years.';
comment on column audit_logs.action is
  'What was done, such as profile.export or consent.withdraw.';
comment on column audit_logs.resource_type is
  'The kind of thing it was done to, null when it was not one thing.';
comment on column audit_logs.resource_id is
  'The thing it was done to; may be the key of a person. Basis: legal obligation, Article 6(1)(c). 7 years.';
comment on column audit_logs.timestamp is
  'When it was done. At most 5 minutes ahead of this server, for clocks that differ.';
comment on column audit_logs.ip_address is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
comment on column audit_logs.user_agent is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
comment on column audit_logs.metadata is
  'Context for investigations, such as request, session and trace ids. No content of people''s data.';
comment on column audit_logs.archived_at is
  'When the row was copied to cold storage, null until then.';
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
