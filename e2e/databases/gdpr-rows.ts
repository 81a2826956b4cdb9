/** SQL that fills the gdpr database with two people and what belongs to them. */
export const insertPeople = `
insert into user_profiles (user_id, username, email) values
  ('ada', 'Ada', 'ada@example.org'),
  ('grace', 'Grace', null);
insert into user_preferences (user_id, preferences) values
  ('ada', '{"language": "en"}'),
  ('grace', '{"language": "de", "mail": true}');
insert into consent_records (user_id, consent_type, granted) values
  ('ada', 'analytics', true),
  ('grace', 'analytics', false);
insert into conversations (user_id, messages) values
  ('ada', '[{"role": "user", "content": "Hello"}]'),
  ('grace', '[]');
insert into audit_logs (user_id, action) values
  ('ada', 'profile.export'),
  ('grace', 'profile.export'),
  (null, 'retention.run')`
