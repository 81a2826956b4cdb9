alter table consent_records
  drop constraint consent_records_withdrawn_after_granted,
  drop constraint consent_records_withdrawn_was_granted;

-- Lost: every basis other than consent, and ends of consents that no recorded refusal explains.
alter table consent_records
  drop column withdrawn_at,
  drop column legal_basis;

drop type legal_basis;
