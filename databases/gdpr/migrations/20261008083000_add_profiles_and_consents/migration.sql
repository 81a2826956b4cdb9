-- The person, what they have set for themselves, and what they have agreed to.
-- Whatever belongs to a person cascades from user_profiles, so that erasure (Article 17) is one delete.

create table user_profiles (
  user_id text not null,
  username text not null,
  email text,
  full_name text,
  created_at timestamptz not null default now(),
  last_updated timestamptz not null default now(),
  metadata jsonb not null default '{}',
  constraint user_profiles_pkey primary key (user_id),
  constraint user_profiles_username_not_empty check (btrim(username) <> ''),
  constraint user_profiles_email_length check (char_length(email) between 3 and 320),
  constraint user_profiles_created_before_updated check (created_at <= last_updated),
  constraint user_profiles_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

create table user_preferences (
  user_id text not null,
  preferences jsonb not null default '{}',
  updated_at timestamptz not null default now(),
  constraint user_preferences_pkey primary key (user_id),
  constraint user_preferences_user_id_fkey foreign key (user_id)
    references user_profiles (user_id) on delete cascade,
  constraint user_preferences_preferences_is_object check (jsonb_typeof(preferences) = 'object')
);

create table consent_records (
  consent_id uuid not null default gen_random_uuid(),
  user_id text not null,
  consent_type text not null,
  granted boolean not null,
  timestamp timestamptz not null default now(),
  ip_address inet,
  user_agent text,
  metadata jsonb not null default '{}',
  constraint consent_records_pkey primary key (consent_id),
  constraint consent_records_user_id_fkey foreign key (user_id)
    references user_profiles (user_id) on delete cascade,
  constraint consent_records_type_not_empty check (btrim(consent_type) <> ''),
  constraint consent_records_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

-- Not unique: two accounts may share an address, and a request for access or erasure has to find both.
create index user_profiles_email_idx
  on user_profiles (lower(email))
  where email is not null;

create index user_profiles_username_idx
  on user_profiles (username);

create index user_profiles_created_at_idx
  on user_profiles (created_at);

create index user_preferences_preferences_idx
  on user_preferences using gin (preferences);

create index user_preferences_updated_at_idx
  on user_preferences (updated_at);

create index consent_records_user_id_idx
  on consent_records (user_id);

create index consent_records_consent_type_idx
  on consent_records (consent_type);

create index consent_records_timestamp_idx
  on consent_records (timestamp desc);

create index consent_records_user_id_consent_type_idx
  on consent_records (user_id, consent_type, timestamp desc);

-- Not before created_at: a profile that came from a server whose clock was ahead must stay editable.
create function set_last_updated() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.last_updated := greatest(now(), new.created_at);
  return new;
end
$$;

create function set_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger user_profiles_set_last_updated
  before update on user_profiles
  for each row
  execute function set_last_updated();

create trigger user_preferences_set_updated_at
  before update on user_preferences
  for each row
  execute function set_updated_at();

comment on table user_profiles is
  'The people whose data is held here (Articles 15 and 17). Kept until the account is closed or erasure is asked for; '
  'deleting a row erases preferences, consents and conversations with it.';
comment on column user_profiles.user_id is
  'Pseudonymous key issued by the identity provider. Basis: contract, Article 6(1)(b). '
  'It stays in audit_logs after erasure.';
comment on column user_profiles.username is
  'Signing in and being shown to others. Basis: contract, Article 6(1)(b). Erased with the profile.';
comment on column user_profiles.email is
  'Reaching the person, and finding them when they exercise their rights. Basis: contract, Article 6(1)(b). '
  'Erased with the profile.';
comment on column user_profiles.full_name is
  'Addressing the person; given voluntarily. Basis: consent, Article 6(1)(a). Set to null on withdrawal.';
comment on column user_profiles.created_at is
  'When the account was opened.';
comment on column user_profiles.last_updated is
  'When the row last changed (Article 5(1)(d), accuracy). Set by a trigger.';
comment on column user_profiles.metadata is
  'Further attributes that the application needs to provide the service. Basis: contract, Article 6(1)(b). '
  'No special categories of data (Article 9). Erased with the profile.';

comment on table user_preferences is
  'What a person has set for themselves (Article 15). Kept as long as the profile.';
comment on column user_preferences.user_id is
  'Whose preferences these are: at most one row per person.';
comment on column user_preferences.preferences is
  'Language, notifications and the like, to provide the service as the person wants it. '
  'Basis: contract, Article 6(1)(b). Erased with the profile.';
comment on column user_preferences.updated_at is
  'When the row last changed. Set by a trigger.';

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

comment on index user_profiles_email_idx is
  'Finds a person by address, whatever its case, when they exercise their rights.';
comment on index user_profiles_username_idx is
  'Finds a person who signs in.';
comment on index user_profiles_created_at_idx is
  'Profiles by age, for reports and for finding accounts never used.';
comment on index user_preferences_preferences_idx is
  'Who has set what: containment and key searches in the document.';
comment on index user_preferences_updated_at_idx is
  'Preferences changed since a moment, for synchronisation.';
comment on index consent_records_user_id_idx is
  'Everything a person has decided (Article 15), and the cascade from their profile.';
comment on index consent_records_consent_type_idx is
  'Everyone who has decided about one thing.';
comment on index consent_records_timestamp_idx is
  'The latest decisions first, for reports.';
comment on index consent_records_user_id_consent_type_idx is
  'The decision in force: the latest of one person about one thing.';
