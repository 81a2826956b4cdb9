comment on table consent_records is
  'Proof of what a person has agreed to or refused (Article 7(1)), one row per decision. What was recorded does not '
  'change: triggers see to it. Kept as long as the profile; what has to outlive it for 7 years is the entry in audit_logs.';
comment on index consent_records_user_id_idx is
  'Everything a person has decided (Article 15), and the cascade from their profile.';
comment on index consent_records_consent_type_idx is
  'Everyone who has decided about one thing.';
comment on index consent_records_timestamp_idx is
  'The latest decisions first, for reports.';
comment on index consent_records_user_id_consent_type_idx is
  'The decision in force: the latest of one person about one thing.';
