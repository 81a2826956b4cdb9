drop trigger user_preferences_set_updated_at on user_preferences;
drop trigger user_profiles_set_last_updated on user_profiles;

drop function set_updated_at();
drop function set_last_updated();

-- Lost: whatever the tests have left in the tables.
drop table audit_logs;
drop table conversations;
drop table consent_records;
drop table user_preferences;
drop table user_profiles;
