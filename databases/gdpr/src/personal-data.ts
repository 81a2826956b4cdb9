import { classify } from '@drover/config'

import type { auditLogs } from './schema/audit-logs.ts'
import type { consentRecords } from './schema/consents.ts'
import type { conversations } from './schema/conversations.ts'
import type { userPreferences, userProfiles } from './schema/profiles.ts'

/**
 * What every column is for. `pnpm migrate data-map` prints it, `check` refuses a column that is not in it, and
 * `objects/comments/columns.sql` is made from it.
 */
export const personalData = classify<{
  user_profiles: typeof userProfiles
  user_preferences: typeof userPreferences
  consent_records: typeof consentRecords
  conversations: typeof conversations
  audit_logs: typeof auditLogs
}>({
  user_profiles: {
    retention: 'until the account is closed or erasure is asked for',
    columns: {
      user_id: {
        personal: true,
        category: 'identity',
        purpose: 'Pseudonymous key issued by the identity provider, by which everything of a person is found',
        legalBasis: 'contract',
      },
      username: {
        personal: true,
        category: 'identity',
        purpose: 'Signing in and being shown to others',
        legalBasis: 'contract',
      },
      email: {
        personal: true,
        category: 'contact',
        purpose: 'Reaching the person, and finding them when they exercise their rights',
        legalBasis: 'contract',
      },
      full_name: {
        personal: true,
        category: 'identity',
        purpose: 'Addressing the person; given voluntarily',
        legalBasis: 'consent',
        retention: 'with the profile, and no longer than the consent: set to null on withdrawal',
      },
      created_at: { personal: false, purpose: 'When the account was opened' },
      last_updated: {
        personal: false,
        purpose: 'When the row last changed (Article 5(1)(d), accuracy), set by a trigger',
      },
      metadata: {
        personal: true,
        category: 'attributes',
        purpose:
          'Further attributes that the application needs to provide the service; no special categories of data (Article 9)',
        legalBasis: 'contract',
      },
    },
  },
  user_preferences: {
    retention: 'with the profile',
    columns: {
      user_id: {
        personal: true,
        category: 'identity',
        purpose: 'Whose preferences these are: at most one row per person',
        legalBasis: 'contract',
      },
      preferences: {
        personal: true,
        category: 'preferences',
        purpose: 'Language, notifications and the like, to provide the service as the person wants it',
        legalBasis: 'contract',
      },
      updated_at: { personal: false, purpose: 'When the row last changed, set by a trigger' },
    },
  },
  consent_records: {
    retention: 'with the profile; after erasure the audit trail keeps the decisions for 7 years, without the person',
    columns: {
      consent_id: { personal: false, purpose: 'Key without a meaning' },
      user_id: {
        personal: true,
        category: 'identity',
        purpose: 'Who decided (Article 7(1))',
        legalBasis: 'legal_obligation',
      },
      consent_type: { personal: false, purpose: 'What the decision is about, such as analytics or marketing' },
      granted: { personal: false, purpose: 'True for a consent, false for a refusal or a withdrawal (Article 7(3))' },
      timestamp: { personal: false, purpose: 'When the decision was taken; evidence, which does not change' },
      ip_address: {
        personal: true,
        category: 'device',
        purpose: 'Evidence of where the decision came from (Article 7(1))',
        legalBasis: 'legal_obligation',
        retention: 'with the profile',
      },
      user_agent: {
        personal: true,
        category: 'device',
        purpose: 'Evidence of what the decision was taken with (Article 7(1))',
        legalBasis: 'legal_obligation',
        retention: 'with the profile',
      },
      metadata: {
        personal: false,
        purpose: 'Further evidence, such as the version of the text that was shown',
        retention: 'with the profile',
      },
      legal_basis: {
        personal: false,
        purpose: 'The ground on which the processing rests; consent unless said otherwise',
      },
      withdrawn_at: {
        personal: false,
        purpose:
          'When a consent that was given ended (Article 7(3)), null while it is in force; set once, together with the row that records the withdrawal',
      },
    },
  },
  conversations: {
    retention: 'for 90 days after the last message, or, archived, until the person deletes it or is erased',
    columns: {
      conversation_id: { personal: false, purpose: 'Key without a meaning' },
      user_id: {
        personal: true,
        category: 'identity',
        purpose: 'Whose conversation it is',
        legalBasis: 'contract',
      },
      title: {
        personal: true,
        category: 'content',
        purpose: 'Finding a conversation again; may quote the person',
        legalBasis: 'contract',
      },
      messages: {
        personal: true,
        category: 'content',
        purpose:
          'The messages, oldest first, to go on with the conversation; free text, which may hold personal data of any kind, also of others',
        legalBasis: 'contract',
      },
      created_at: { personal: false, purpose: 'When the conversation began' },
      last_message_at: {
        personal: false,
        purpose: 'When the last message was added, null before the first; the 90 days count from here',
      },
      archived: {
        personal: false,
        purpose: 'True when the person has asked to keep the conversation beyond the 90 days',
      },
      metadata: { personal: false, purpose: 'Technical context, such as the model that answered; no personal data' },
    },
  },
  audit_logs: {
    retention: 'for 7 years, also when the person has been erased',
    columns: {
      log_id: { personal: false, purpose: 'Key without a meaning' },
      user_id: {
        personal: true,
        category: 'identity',
        purpose: 'Who acted, null for the system itself; not a foreign key, and a pseudonym after erasure',
        legalBasis: 'legal_obligation',
      },
      action: { personal: false, purpose: 'What was done, such as profile.export or consent.withdraw' },
      resource_type: { personal: false, purpose: 'The kind of thing it was done to, null when it was not one thing' },
      resource_id: {
        personal: true,
        category: 'identity',
        purpose: 'The thing it was done to; may be the key of a person, and is a pseudonym after their erasure',
        legalBasis: 'legal_obligation',
      },
      timestamp: {
        personal: false,
        purpose: 'When it was done; at most 5 minutes ahead of this server, for clocks that differ',
      },
      ip_address: {
        personal: true,
        category: 'device',
        purpose: 'Tracing misuse, in the interest of security',
        legalBasis: 'legitimate_interests',
        retention: 'for 7 years, or until the person is erased',
      },
      user_agent: {
        personal: true,
        category: 'device',
        purpose: 'Tracing misuse, in the interest of security',
        legalBasis: 'legitimate_interests',
        retention: 'for 7 years, or until the person is erased',
      },
      metadata: {
        personal: false,
        purpose:
          'Context for investigations, such as request and trace ids; nothing that leads to a person, for it stays after erasure',
      },
      archived_at: { personal: false, purpose: 'When the row was copied to cold storage, null until then' },
      sequence: { personal: false, purpose: 'Place in the chain of entries, without gaps, set by a trigger' },
      previous_hash: {
        personal: false,
        purpose: 'The hash of the entry before, empty for the first one ever, set by a trigger',
      },
      hash: {
        personal: false,
        purpose: 'SHA-256 of the entry and of previous_hash, set by a trigger; verify_audit_logs compares it',
      },
      actor_salt: {
        personal: false,
        purpose: 'Random; with it actor_digest proves who acted, and without it, after erasure, says nothing',
        retention: 'for 7 years, or until the person is erased',
      },
      actor_digest: {
        personal: false,
        purpose: 'SHA-256 of actor_salt, user_id, ip_address and user_agent as they were written, set by a trigger',
      },
      resource_salt: {
        personal: false,
        purpose:
          'Random; with it resource_digest proves what it was done to, and without it, after erasure, says nothing',
        retention: 'for 7 years, or until the person is erased',
      },
      resource_digest: {
        personal: false,
        purpose: 'SHA-256 of resource_salt and resource_id as they were written, set by a trigger',
      },
    },
  },
})
