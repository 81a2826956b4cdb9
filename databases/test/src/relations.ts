import { defineRelations } from 'drizzle-orm'

import * as schema from './schema/index.ts'

/** What hangs together, for `client.query`. An audit entry stands alone: the person it names may be gone. */
export const relations = defineRelations(schema, (r) => ({
  userProfiles: {
    preferences: r.one.userPreferences({ from: r.userProfiles.userId, to: r.userPreferences.userId }),
    consents: r.many.consentRecords({ from: r.userProfiles.userId, to: r.consentRecords.userId }),
    conversations: r.many.conversations({ from: r.userProfiles.userId, to: r.conversations.userId }),
  },
  userPreferences: {
    profile: r.one.userProfiles({ from: r.userPreferences.userId, to: r.userProfiles.userId, optional: false }),
  },
  consentRecords: {
    profile: r.one.userProfiles({ from: r.consentRecords.userId, to: r.userProfiles.userId, optional: false }),
  },
  conversations: {
    profile: r.one.userProfiles({ from: r.conversations.userId, to: r.userProfiles.userId, optional: false }),
  },
}))
