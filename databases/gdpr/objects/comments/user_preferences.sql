comment on table user_preferences is
  'What a person has set for themselves (Article 15). Kept as long as the profile.';
comment on column user_preferences.user_id is
  'Whose preferences these are: at most one row per person.';
comment on column user_preferences.preferences is
  'Language, notifications and the like, to provide the service as the person wants it. '
  'Basis: contract, Article 6(1)(b). Erased with the profile.';
comment on column user_preferences.updated_at is
  'When the row last changed. Set by a trigger.';
comment on index user_preferences_preferences_idx is
  'Who has set what: containment and key searches in the document.';
comment on index user_preferences_updated_at_idx is
  'Preferences changed since a moment, for synchronisation.';
