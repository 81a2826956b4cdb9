comment on column "audit_logs"."resource_digest" is null;
--> statement-breakpoint
comment on column "audit_logs"."resource_salt" is null;
--> statement-breakpoint
comment on column "audit_logs"."actor_digest" is null;
--> statement-breakpoint
comment on column "audit_logs"."actor_salt" is null;
--> statement-breakpoint
comment on column "audit_logs"."hash" is null;
--> statement-breakpoint
comment on column "audit_logs"."previous_hash" is null;
--> statement-breakpoint
comment on column "audit_logs"."sequence" is null;
--> statement-breakpoint
comment on column "audit_logs"."log_id" is null;
--> statement-breakpoint
comment on column "conversations"."conversation_id" is null;
--> statement-breakpoint
comment on column "consent_records"."consent_id" is null;
--> statement-breakpoint
comment on index audit_logs_sequence_key is null;
--> statement-breakpoint
drop function export_person(text);
--> statement-breakpoint
comment on table audit_logs is
  'Who did what to which data, and when (Articles 5(2) and 30). The application only ever adds to it. '
  'Kept for 7 years, also when the person it names has been erased (Article 17(3)(b)).';
--> statement-breakpoint
comment on column audit_logs.user_id is
  'Who acted, null for the system itself. Not a foreign key: it is kept, as a pseudonym, after the profile is erased. '
  'Basis: legal obligation, Article 6(1)(c). 7 years.';
--> statement-breakpoint
comment on column audit_logs.action is
  'What was done, such as profile.export or consent.withdraw.';
--> statement-breakpoint
comment on column audit_logs.resource_type is
  'The kind of thing it was done to, null when it was not one thing.';
--> statement-breakpoint
comment on column audit_logs.resource_id is
  'The thing it was done to; may be the key of a person. Basis: legal obligation, Article 6(1)(c). 7 years.';
--> statement-breakpoint
comment on column audit_logs.timestamp is
  'When it was done. At most 5 minutes ahead of this server, for clocks that differ.';
--> statement-breakpoint
comment on column audit_logs.ip_address is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
--> statement-breakpoint
comment on column audit_logs.user_agent is
  'Tracing misuse. Basis: legitimate interest in security, Article 6(1)(f). 7 years, with the row.';
--> statement-breakpoint
comment on column audit_logs.metadata is
  'Context for investigations, such as request, session and trace ids. No content of people''s data.';
--> statement-breakpoint
comment on column audit_logs.archived_at is
  'When the row was copied to cold storage, null until then.';
--> statement-breakpoint
comment on table consent_records is
  'Proof of what a person has agreed to or refused (Article 7(1)), one row per decision. What was recorded does not '
  'change. Kept as long as the profile; what has to outlive it for 7 years is the entry in audit_logs.';
--> statement-breakpoint
comment on column consent_records.user_id is
  'Who decided. Basis: legal obligation, Article 6(1)(c) with 7(1).';
--> statement-breakpoint
comment on column consent_records.consent_type is
  'What the decision is about, such as analytics or marketing.';
--> statement-breakpoint
comment on column consent_records.granted is
  'True for a consent, false for a refusal or a withdrawal (Article 7(3)).';
--> statement-breakpoint
comment on column consent_records.timestamp is
  'When the decision was taken. Evidence: the application does not change it.';
--> statement-breakpoint
comment on column consent_records.ip_address is
  'Evidence of where the decision came from. Basis: legal obligation, Article 6(1)(c) with 7(1). '
  'Erased with the profile.';
--> statement-breakpoint
comment on column consent_records.user_agent is
  'Evidence of what the decision was taken with. Basis: legal obligation, Article 6(1)(c) with 7(1). '
  'Erased with the profile.';
--> statement-breakpoint
comment on column consent_records.metadata is
  'Further evidence, such as the version of the text that was shown.';
--> statement-breakpoint
comment on column consent_records.legal_basis is
  'The ground on which the processing rests; consent unless said otherwise.';
--> statement-breakpoint
comment on column consent_records.withdrawn_at is
  'When a consent that was given ended (Article 7(3)), null while it is in force. '
  'Set together with the row that records the withdrawal.';
--> statement-breakpoint
comment on column conversations.user_id is
  'Whose conversation it is. Basis: contract, Article 6(1)(b).';
--> statement-breakpoint
comment on column conversations.title is
  'Finding a conversation again; may quote the person. Basis: contract, Article 6(1)(b). Kept as long as the row.';
--> statement-breakpoint
comment on column conversations.messages is
  'The messages, oldest first, to go on with the conversation. Free text: it may hold personal data of any kind, also '
  'of others. Basis: contract, Article 6(1)(b). Kept as long as the row.';
--> statement-breakpoint
comment on column conversations.created_at is
  'When the conversation began.';
--> statement-breakpoint
comment on column conversations.last_message_at is
  'When the last message was added, null before the first. The 90 days count from here.';
--> statement-breakpoint
comment on column conversations.archived is
  'True when the person has asked to keep the conversation beyond the 90 days.';
--> statement-breakpoint
comment on column conversations.metadata is
  'Technical context, such as the model that answered. No personal data.';
--> statement-breakpoint
comment on column user_preferences.user_id is
  'Whose preferences these are: at most one row per person.';
--> statement-breakpoint
comment on column user_preferences.preferences is
  'Language, notifications and the like, to provide the service as the person wants it. '
  'Basis: contract, Article 6(1)(b). Erased with the profile.';
--> statement-breakpoint
comment on column user_preferences.updated_at is
  'When the row last changed. Set by a trigger.';
--> statement-breakpoint
comment on table user_profiles is
  'The people whose data is held here (Articles 15 and 17). Kept until the account is closed or erasure is asked for; '
  'deleting a row erases preferences, consents and conversations with it.';
--> statement-breakpoint
comment on column user_profiles.user_id is
  'Pseudonymous key issued by the identity provider. Basis: contract, Article 6(1)(b). '
  'It stays in audit_logs after erasure.';
--> statement-breakpoint
comment on column user_profiles.username is
  'Signing in and being shown to others. Basis: contract, Article 6(1)(b). Erased with the profile.';
--> statement-breakpoint
comment on column user_profiles.email is
  'Reaching the person, and finding them when they exercise their rights. Basis: contract, Article 6(1)(b). '
  'Erased with the profile.';
--> statement-breakpoint
comment on column user_profiles.full_name is
  'Addressing the person; given voluntarily. Basis: consent, Article 6(1)(a). Set to null on withdrawal.';
--> statement-breakpoint
comment on column user_profiles.created_at is
  'When the account was opened.';
--> statement-breakpoint
comment on column user_profiles.last_updated is
  'When the row last changed (Article 5(1)(d), accuracy). Set by a trigger.';
--> statement-breakpoint
comment on column user_profiles.metadata is
  'Further attributes that the application needs to provide the service. Basis: contract, Article 6(1)(b). '
  'No special categories of data (Article 9). Erased with the profile.';
--> statement-breakpoint
drop function erase_person(text, text);
