-- On which ground of Article 6(1) a decision rests, and when a consent ended. Until now everything recorded was a
-- consent, and whether one was still in force had to be worked out from the decisions after it.

create type legal_basis as enum (
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests'
);

alter table consent_records
  add column legal_basis legal_basis not null default 'consent',
  add column withdrawn_at timestamptz;

-- A grant ended with the first refusal of the same thing that was not before it. At the same moment counts as after:
-- in doubt a consent is not in force.
update consent_records
set withdrawn_at = ended.withdrawn_at
from (
  select
    given.consent_id,
    min(refused.timestamp) as withdrawn_at
  from consent_records as given
  join consent_records as refused using (user_id, consent_type)
  where given.granted
    and not refused.granted
    and refused.timestamp >= given.timestamp
  group by given.consent_id
) as ended
where consent_records.consent_id = ended.consent_id;

alter table consent_records
  add constraint consent_records_withdrawn_was_granted check (withdrawn_at is null or granted),
  add constraint consent_records_withdrawn_after_granted check (withdrawn_at >= timestamp);

comment on type legal_basis is
  'The grounds for processing personal data, in the order of Article 6(1)(a) to (f).';

comment on column consent_records.legal_basis is
  'The ground on which the processing rests; consent unless said otherwise.';
comment on column consent_records.withdrawn_at is
  'When a consent that was given ended (Article 7(3)), null while it is in force. '
  'Set together with the row that records the withdrawal.';
