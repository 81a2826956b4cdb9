import { defineRelations } from 'drizzle-orm'
import * as schema from './schema/index.ts'

/** How the tables hang together, for `client.query`. */
export const relations = defineRelations(schema, (table) => ({
  userCredentials: {
    backupCodes: table.many.backupCodes(),
    passwordTokens: table.many.passwordTokens(),
    verificationTokens: table.many.verificationTokens(),
    oauthIdentities: table.many.oauthIdentities(),
    sessions: table.many.sessions(),
    apiKeys: table.many.apiKeys(),
  },
  backupCodes: {
    user: table.one.userCredentials({
      from: table.backupCodes.userId,
      to: table.userCredentials.userId,
      optional: false,
    }),
  },
  passwordTokens: {
    user: table.one.userCredentials({
      from: table.passwordTokens.userId,
      to: table.userCredentials.userId,
      optional: false,
    }),
  },
  verificationTokens: {
    user: table.one.userCredentials({
      from: table.verificationTokens.userId,
      to: table.userCredentials.userId,
      optional: false,
    }),
  },
  oauthIdentities: {
    user: table.one.userCredentials({
      from: table.oauthIdentities.userId,
      to: table.userCredentials.userId,
      optional: false,
    }),
    tokens: table.many.oauthTokens(),
  },
  oauthTokens: {
    identity: table.one.oauthIdentities({
      from: table.oauthTokens.identityId,
      to: table.oauthIdentities.id,
      optional: false,
    }),
  },
  sessions: {
    user: table.one.userCredentials({ from: table.sessions.userId, to: table.userCredentials.userId, optional: false }),
    refreshTokens: table.many.refreshTokens(),
  },
  refreshTokens: {
    session: table.one.sessions({ from: table.refreshTokens.sessionId, to: table.sessions.id, optional: false }),
  },
  apiKeys: {
    user: table.one.userCredentials({ from: table.apiKeys.userId, to: table.userCredentials.userId, optional: false }),
  },
}))
