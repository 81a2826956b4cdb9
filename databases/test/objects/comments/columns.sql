comment on column "user_profiles"."user_id" is
  'Pseudonymous key issued by the identity provider, by which everything of a person is found. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
comment on column "user_profiles"."username" is
  'Signing in and being shown to others. Personal data: identity. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
comment on column "user_profiles"."email" is
  'Reaching the person, and finding them when they exercise their rights. Personal data: contact. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
comment on column "user_profiles"."full_name" is
  'Addressing the person; given voluntarily. Personal data: identity. Basis: consent, Article 6(1)(a). Kept with the profile, and no longer than the consent: set to null on withdrawal.';
comment on column "user_profiles"."created_at" is
  'When the account was opened. Kept until the account is closed or erasure is asked for.';
comment on column "user_profiles"."last_updated" is
  'When the row last changed (Article 5(1)(d), accuracy), set by a trigger. Kept until the account is closed or erasure is asked for.';
comment on column "user_profiles"."metadata" is
  'Further attributes that the application needs to provide the service; no special categories of data (Article 9). Personal data: attributes. Basis: contract, Article 6(1)(b). Kept until the account is closed or erasure is asked for.';
comment on column "user_preferences"."user_id" is
  'Whose preferences these are: at most one row per person. Personal data: identity. Basis: contract, Article 6(1)(b). Kept with the profile.';
comment on column "user_preferences"."preferences" is
  'Language, notifications and the like, to provide the service as the person wants it. Personal data: preferences. Basis: contract, Article 6(1)(b). Kept with the profile.';
comment on column "user_preferences"."updated_at" is
  'When the row last changed, set by a trigger. Kept with the profile.';
comment on column "consent_records"."consent_id" is
  'Key without a meaning. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."user_id" is
  'Who decided (Article 7(1)). Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."consent_type" is
  'What the decision is about, such as analytics or marketing. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."granted" is
  'True for a consent, false for a refusal or a withdrawal (Article 7(3)). Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."timestamp" is
  'When the decision was taken; evidence, which does not change. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."ip_address" is
  'Evidence of where the decision came from (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';
comment on column "consent_records"."user_agent" is
  'Evidence of what the decision was taken with (Article 7(1)). Personal data: device. Basis: legal obligation, Article 6(1)(c). Kept with the profile.';
comment on column "consent_records"."metadata" is
  'Further evidence, such as the version of the text that was shown. Kept with the profile.';
comment on column "consent_records"."legal_basis" is
  'The ground on which the processing rests; consent unless said otherwise. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "consent_records"."withdrawn_at" is
  'When a consent that was given ended (Article 7(3)), null while it is in force; set once, together with the row that records the withdrawal. Kept with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person.';
comment on column "conversations"."conversation_id" is
  'Key without a meaning. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."user_id" is
  'Whose conversation it is. Personal data: identity. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."title" is
  'Finding a conversation again; may quote the person. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."messages" is
  'The messages, oldest first, to go on with the conversation; free text, which may hold personal data of any kind, also of others. Personal data: content. Basis: contract, Article 6(1)(b). Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."created_at" is
  'When the conversation began. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."last_message_at" is
  'When the last message was added, null before the first; the 90 days count from here. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."archived" is
  'True when the person has asked to keep the conversation beyond the 90 days. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "conversations"."metadata" is
  'Technical context, such as the model that answered; no personal data. Kept for 90 days after the last message, or, archived, until the person deletes it or is erased.';
comment on column "audit_logs"."log_id" is
  'Key without a meaning. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."user_id" is
  'Who acted, null for the system itself; not a foreign key, and a pseudonym after erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."action" is
  'What was done, such as profile.export or consent.withdraw. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."resource_type" is
  'The kind of thing it was done to, null when it was not one thing. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."resource_id" is
  'The thing it was done to; may be the key of a person, and is a pseudonym after their erasure. Personal data: identity. Basis: legal obligation, Article 6(1)(c). Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."timestamp" is
  'When it was done; at most 5 minutes ahead of this server, for clocks that differ. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."ip_address" is
  'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';
comment on column "audit_logs"."user_agent" is
  'Tracing misuse, in the interest of security. Personal data: device. Basis: legitimate interests, Article 6(1)(f). Kept for 7 years, or until the person is erased.';
comment on column "audit_logs"."metadata" is
  'Context for investigations, such as request and trace ids; nothing that leads to a person, for it stays after erasure. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."archived_at" is
  'When the row was copied to cold storage, null until then. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."sequence" is
  'Place in the chain of entries, without gaps, set by a trigger. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."previous_hash" is
  'The hash of the entry before, empty for the first one ever, set by a trigger. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."hash" is
  'SHA-256 of the entry and of previous_hash, set by a trigger; verify_audit_logs compares it. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."actor_salt" is
  'Random; with it actor_digest proves who acted, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';
comment on column "audit_logs"."actor_digest" is
  'SHA-256 of actor_salt, user_id, ip_address and user_agent as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';
comment on column "audit_logs"."resource_salt" is
  'Random; with it resource_digest proves what it was done to, and without it, after erasure, says nothing. Kept for 7 years, or until the person is erased.';
comment on column "audit_logs"."resource_digest" is
  'SHA-256 of resource_salt and resource_id as they were written, set by a trigger. Kept for 7 years, also when the person has been erased.';
