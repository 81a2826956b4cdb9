comment on table user_preferences is
  'What a person has set for themselves (Article 15). Kept as long as the profile.';
comment on index user_preferences_preferences_idx is
  'Who has set what: containment and key searches in the document.';
comment on index user_preferences_updated_at_idx is
  'Preferences changed since a moment, for synchronisation.';
