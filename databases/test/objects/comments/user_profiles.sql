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
comment on index user_profiles_email_idx is
  'Finds a person by address, whatever its case, when they exercise their rights.';
comment on index user_profiles_username_idx is
  'Finds a person who signs in.';
comment on index user_profiles_created_at_idx is
  'Profiles by age, for reports and for finding accounts never used.';
