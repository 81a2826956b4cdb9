comment on table user_profiles is
  'The people whose data is held here (Articles 15 and 17). Kept until the account is closed or erasure is asked for; '
  'erase_person deletes a row, with preferences, consents and conversations.';
comment on index user_profiles_email_idx is
  'Finds a person by address, whatever its case, when they exercise their rights.';
comment on index user_profiles_username_idx is
  'Finds a person who signs in.';
comment on index user_profiles_created_at_idx is
  'Profiles by age, for reports and for finding accounts never used.';
