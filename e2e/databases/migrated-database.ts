import { randomBytes } from 'node:crypto'

import { createThrowawayDatabase } from '@drover/server'
import { inject } from 'vitest'

import { query } from '../harness/query.ts'
import { createOne, createRepositoryDatabases, type DatabaseName, makeTenant } from '../harness/repository-databases.ts'

/** The URLs of one database for two users, neither of whom is a superuser. */
interface Logins {
  /** The user who owns it and has migrated it. */
  readonly owner: string
  /** A user who may read and write the rows of its tables, and nothing else. */
  readonly application: string
}

/** One of the repository's databases at its head. */
export interface MigratedDatabase extends Logins, AsyncDisposable {
  /** Copies it as it is now, for one test. Nobody may be connected to it at that moment. */
  copy(): Promise<Logins & AsyncDisposable>
}

/**
 * Creates a database and migrates it through the command line, as its owner; that of tenants by its SQL, as if it were one of them.
 * `seed` is SQL that the owner runs then. Throws an Error with what the command line said when it fails.
 */
export async function migrateToHead(name: DatabaseName | 'tenant', seed = 'select 1'): Promise<MigratedDatabase> {
  const server = inject('serverUrl')
  await using acquired = new AsyncDisposableStack()
  const created = await createEmpty(name)
  const owner = created.url
  const template = databaseOf(owner)
  // Its privileges are in the database, which therefore goes before the user does.
  const application = { username: `${template}_app`, password: randomBytes(12).toString('hex') }
  acquired.defer(async () => void (await query(server, `drop role if exists ${application.username}`)))
  acquired.use(created)

  await created.migrate()
  await query(server, `create role ${application.username} login password '${application.password}'`)
  await query(
    owner,
    `grant select, insert, update, delete on all tables in schema public to ${application.username};\n${seed}`,
  )

  const kept = acquired.move()
  return {
    owner,
    application: withLogin(owner, application),
    copy: async () => {
      const copy = await createThrowawayDatabase(server, { template })
      await query(server, `alter database ${copy.name} owner to ${new URL(owner).username}`)
      const copyOfOwner = withLogin(copy.url, new URL(owner))
      return {
        owner: copyOfOwner,
        application: withLogin(copyOfOwner, application),
        [Symbol.asyncDispose]: () => copy[Symbol.asyncDispose](),
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function createEmpty(
  name: DatabaseName | 'tenant',
): Promise<AsyncDisposable & { readonly url: string; migrate(): Promise<void> }> {
  if (name === 'tenant') {
    const created = await createOne(inject('serverUrl'), true)
    return { ...created, migrate: () => makeTenant(created.url) }
  }
  const databases = await createRepositoryDatabases({ ordinaryOwner: true })
  return {
    url: databases.urls[name],
    migrate: async () => {
      const upgrade = await databases.migrate('upgrade', '-d', name)
      if (upgrade.exitCode !== 0) throw new Error(upgrade.stderr)
    },
    [Symbol.asyncDispose]: () => databases[Symbol.asyncDispose](),
  }
}

/**
 * Runs statements in a transaction that is rolled back, and tells what refused them: the name of the constraint, or the
 * SQLSTATE where it was none. `accepted` when nothing did.
 */
export async function refusalOf(url: string, statements: string): Promise<string> {
  try {
    await query(url, `begin;\n${statements};\nrollback`)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return String('constraint_name' in error ? error.constraint_name : error.code)
  }
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1)
}

function withLogin(url: string, login: { readonly username: string; readonly password: string }): string {
  const changed = new URL(url)
  changed.username = login.username
  changed.password = login.password
  return changed.href
}
