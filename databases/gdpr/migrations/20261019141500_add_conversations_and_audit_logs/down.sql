-- Lost: the audit trail, which the law may oblige you to keep. Export it first.
drop table audit_logs;

-- Lost: every conversation.
drop table conversations;
