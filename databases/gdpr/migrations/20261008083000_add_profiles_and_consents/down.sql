drop trigger user_preferences_set_updated_at on user_preferences;
drop trigger user_profiles_set_last_updated on user_profiles;

drop function set_updated_at();
drop function set_last_updated();

-- Lost: every proof of consent.
drop table consent_records;

-- Lost: what people have set for themselves.
drop table user_preferences;

-- Lost: every profile.
drop table user_profiles;
