comment on view audit_logs_for_archival is
  'Audit entries to copy to cold storage, the oldest first: past 90 days, within the 7 years, and not copied yet. '
  'Entries past the 7 years are not in it: they are due for deletion (Article 5(1)(e)).';
comment on column audit_logs_for_archival.age is
  'Time since the entry was made.';
