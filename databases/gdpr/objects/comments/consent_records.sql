comment on table consent_records is
  'Proof of what a person has agreed to or refused (Article 7(1)), one row per decision. What was recorded does not '
  'change. Kept as long as the profile; what has to outlive it for 7 years is the entry in audit_logs.';
comment on column consent_records.user_id is
  'Who decided. Basis: legal obligation, Article 6(1)(c) with 7(1).';
comment on column consent_records.consent_type is
  'What the decision is about, such as analytics or marketing.';
comment on column consent_records.granted is
  'True for a consent, false for a refusal or a withdrawal (Article 7(3)).';
comment on column consent_records.timestamp is
  'When the decision was taken. Evidence: the application does not change it.';
comment on column consent_records.ip_address is
  'Evidence of where the decision came from. Basis: legal obligation, Article 6(1)(c) with 7(1). '
  'Erased with the profile.';
comment on column consent_records.user_agent is
  'Evidence of what the decision was taken with. Basis: legal obligation, Article 6(1)(c) with 7(1). '
  'Erased with the profile.';
comment on column consent_records.metadata is
  'Further evidence, such as the version of the text that was shown.';
comment on column consent_records.legal_basis is
  'The ground on which the processing rests; consent unless said otherwise.';
comment on column consent_records.withdrawn_at is
  'When a consent that was given ended (Article 7(3)), null while it is in force. '
  'Set together with the row that records the withdrawal.';
comment on index consent_records_user_id_idx is
  'Everything a person has decided (Article 15), and the cascade from their profile.';
comment on index consent_records_consent_type_idx is
  'Everyone who has decided about one thing.';
comment on index consent_records_timestamp_idx is
  'The latest decisions first, for reports.';
comment on index consent_records_user_id_consent_type_idx is
  'The decision in force: the latest of one person about one thing.';
