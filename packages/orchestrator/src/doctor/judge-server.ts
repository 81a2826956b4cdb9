import type { ServerFacts } from '@drover/engine'

import { fine, type Finding, warn, wrong } from './finding.ts'

/** What else there is to know for judging a server. */
export interface ServerContext {
  /** The name of the database on the command line. */
  readonly name: string
  /** The name of the database on the server. */
  readonly database: string
  /** Whether the server is on this machine. */
  readonly isLocal: boolean
  /** Whether it is the development server, which is Drover's own. */
  readonly isDevelopment: boolean
  readonly isPooled: boolean
  /** Whether an administrator is known who could create databases. */
  readonly hasAdministrator: boolean
}

/** The oldest PostgreSQL that Drover is tested with. */
const oldestVersion = 15
/** So much difference between clocks surprises nobody, in milliseconds. */
const mostClockMs = 5000

/** What there is to say of a server, its settings and the user's privileges. Pure. */
export function judgeServer(facts: ServerFacts, context: ServerContext): readonly Finding[] {
  return [
    judgeVersion(facts),
    judgeRole(facts),
    judgePooler(context),
    judgeEncryption(facts, context),
    judgePrivileges(facts, context),
    judgeStore(facts, context),
    judgeCopies(facts, context),
    judgeClock(facts),
    ...judgeSettings(facts, context),
    ...judgeIndexes(facts),
  ]
}

function judgeVersion({ version, versionText }: ServerFacts): Finding {
  const major = Math.trunc(version / 10_000)
  if (major >= oldestVersion) return fine('version', `PostgreSQL ${versionText}`)
  return wrong(
    'version',
    `PostgreSQL ${versionText} is older than ${oldestVersion}, the oldest that Drover supports`,
    `upgrade the server to PostgreSQL ${oldestVersion} or later`,
  )
}

function judgeRole({ isStandby, settings }: ServerFacts): Finding {
  if (isStandby) {
    return wrong('writable', 'it is a standby, which can only be read', 'let the URL lead to the primary server')
  }
  if (settings['default_transaction_read_only'] === 'on') {
    return wrong(
      'writable',
      'its transactions are read-only (default_transaction_read_only)',
      'let the URL lead to a server that can be written to, or take the setting away from the user and the database',
    )
  }
  return fine('writable', 'it can be written to')
}

function judgePooler({ isPooled }: ServerContext): Finding {
  if (!isPooled) return fine('pooler', 'no pooler that changes sessions is seen')
  return warn(
    'pooler',
    'a pooler stands before it, over which nothing runs outside a transaction, nor code with transactions of its own',
    'give Drover a URL that leads to the server itself; see docs/guides/poolers.md',
  )
}

function judgeEncryption({ isEncrypted }: ServerFacts, { isLocal }: ServerContext): Finding {
  if (isEncrypted) return fine('encryption', 'TLS')
  if (isLocal) return fine('encryption', 'none, and none is needed on this machine')
  return warn(
    'encryption',
    'the connection is not encrypted, and leaves this machine',
    'add sslmode=verify-full to the URL; see docs/guides/connections.md',
  )
}

function judgePrivileges(facts: ServerFacts, { database, isDevelopment }: ServerContext): Finding {
  const { user, isSuperuser, mayCreateSchemas, storeOwner } = facts
  if (!mayCreateSchemas && storeOwner === null) {
    return wrong(
      'privileges',
      `user "${user}" may not create the schema drover, in which Drover keeps its records`,
      `let the owner of the database: grant create on database ${database} to ${user}`,
    )
  }
  if (isSuperuser && !isDevelopment) {
    return warn(
      'privileges',
      `user "${user}" is a superuser: a mistake in a revision could reach every database of the server`,
      'declare "access" in database.ts, and let init make an owner for it; see docs/guides/access.md',
    )
  }
  return fine('privileges', `user "${user}" may do what revisions need`)
}

function judgeStore({ storeOwner, isStoreOurs, isStoreOld, user }: ServerFacts, { name }: ServerContext): Finding {
  if (storeOwner === null) return fine('records', 'none yet: the first run makes them')
  if (!isStoreOurs) {
    return wrong(
      'records',
      `the schema drover belongs to "${storeOwner}", whose privileges "${user}" does not have`,
      `connect as "${storeOwner}", or: grant ${storeOwner} to ${user}`,
    )
  }
  if (isStoreOld) {
    return warn(
      'records',
      'the tables of Drover are of an earlier version',
      `the next run completes them: pnpm migrate upgrade -d ${name}`,
    )
  }
  return fine('records', `in the schema drover of "${storeOwner}"`)
}

function judgeCopies({ mayCreateDatabases, user }: ServerFacts, { hasAdministrator }: ServerContext): Finding {
  if (mayCreateDatabases || hasAdministrator) return fine('copies', 'rehearsals can be made on a copy')
  return warn(
    'copies',
    `user "${user}" may not create databases, so it is rehearsed without rows`,
    `alter role ${user} createdb, or name an administrator in DROVER_ADMIN_URL`,
  )
}

function judgeClock({ clockAheadMs, turnMs }: ServerFacts): Finding {
  const apart = Math.abs(clockAheadMs)
  if (apart - turnMs / 2 <= mostClockMs) return fine('clock', 'as on this machine')
  const seconds = (apart / 1000).toFixed(0)
  return warn(
    'clock',
    `the clock of the server is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} that of this machine`,
    'set both by NTP: records have the time of the server, and new revisions that of this machine',
  )
}

function judgeSettings({ settings }: ServerFacts, { isDevelopment }: ServerContext): readonly Finding[] {
  const findings: Finding[] = []
  const say = (message: string, hint: string) => findings.push(warn('settings', message, hint))
  const is = (name: string, value: string) => settings[name] === value
  // The development server is allowed to be quick.
  if (!isDevelopment) {
    if (is('fsync', 'off') || is('full_page_writes', 'off')) {
      say(
        'fsync or full_page_writes is off: a crash may destroy the whole server',
        'turn both on where data is to be kept',
      )
    }
    if (is('synchronous_commit', 'off')) {
      say(
        'synchronous_commit is off: what is reported as done may be undone by a crash',
        'alter database … set synchronous_commit = on, or keep it off where that may happen',
      )
    }
    if (is('idle_in_transaction_session_timeout', '0')) {
      say(
        'sessions may stay idle in a transaction for ever (idle_in_transaction_session_timeout = 0), and keep revisions from their locks',
        "give the users of the application one: alter role … set idle_in_transaction_session_timeout = '60s'; or end such sessions with --kill-blockers-after",
      )
    }
  }
  if (settings['default_transaction_isolation'] !== 'read committed') {
    say(
      `transactions are ${settings['default_transaction_isolation']} by default: create index concurrently waits for every one of them`,
      'alter database … reset default_transaction_isolation, and ask for it where it is needed',
    )
  }
  if (Number(settings['max_locks_per_transaction']) < 64) {
    say(
      `max_locks_per_transaction is ${settings['max_locks_per_transaction']}: a revision that changes many tables runs out of locks`,
      'set it to 64 or more, and start the server again',
    )
  }
  if (settings['session_replication_role'] !== 'origin') {
    say(
      `session_replication_role is ${settings['session_replication_role']}: triggers and foreign keys do not do their work`,
      'alter role … reset session_replication_role',
    )
  }
  return findings.length > 0 ? findings : [fine('settings', 'nothing that revisions would stumble over')]
}

function judgeIndexes({ invalidIndexes }: ServerFacts): readonly Finding[] {
  const left = invalidIndexes.filter(({ isBeingBuilt }) => !isBeingBuilt)
  if (left.length === 0) return [fine('indexes', 'all of them are valid')]
  return left.map(({ index, table }) =>
    wrong(
      'indexes',
      `the index ${index} of ${table} is invalid: it costs every write, and no query uses it`,
      `drop index concurrently ${index}, and make it again in a revision; or: reindex index concurrently ${index}`,
    ),
  )
}
