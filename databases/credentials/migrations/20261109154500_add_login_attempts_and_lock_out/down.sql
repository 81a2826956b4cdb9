-- Lost: who is locked out. Accounts under attack open again at once.
drop index user_credentials_locked_until_idx;

alter table user_credentials
  drop constraint user_credentials_failed_attempts_check,
  drop column locked_until,
  drop column last_failed_at,
  drop column failed_attempts;

-- Lost: the audit trail of sign-ins, for good. Export it first where it has to be kept.
drop table login_attempts;

drop function refuse_update_of_login_attempts();

drop type login_outcome;
drop type login_method;
