import {
  type Connection,
  type ConnectionUrl,
  openConnection,
  quoteIdentifier,
  quoteLiteral,
  type Row,
} from '@drover/engine'
import { DroverError } from '@drover/history'

/** A connection that creates and drops databases. */
export interface Administrator extends AsyncDisposable {
  /** Whether there was such a template; then the database is a copy of it. @param owner default: who is connected */
  copy(template: string, name: string, owner?: string): Promise<boolean>
  drop(name: string): Promise<void>
  send(sql: string): Promise<readonly Row[]>
}

/** Connects to the server for tests. Nothing is sent before the first call. */
export function openAdministrator(server: ConnectionUrl): Administrator {
  const connection = openConnection(server)
  return {
    send: (sql) => connection.send(sql),
    copy: async (template, name, owner) => {
      const source = quoteIdentifier(template)
      const belonging = owner === undefined ? '' : ` owner ${quoteIdentifier(owner)}`
      try {
        // wal_log copies 5 times as fast as file_copy, which makes two checkpoints.
        await connection.send(
          `create database ${quoteIdentifier(name)}${belonging} template ${source} strategy wal_log`,
        )
        return true
      } catch (error) {
        // Without its owner there is no template of his either: he cannot be dropped while he has one.
        if (codeOf(error) === '3D000' || (owner !== undefined && codeOf(error) === '42704')) return false
        throw explain(error)
      }
    },
    drop: async (name) => {
      try {
        await connection.send(`drop database if exists ${quoteIdentifier(name)} with (force)`)
      } catch (error) {
        // Somebody else drops it at the same moment.
        if (codeOf(error) !== '3D000' && !(await isGone(connection, name))) throw error
      }
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** The SQLSTATE of what a server said, if it was a server. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function isGone(connection: Connection, name: string): Promise<boolean> {
  const rows = await connection.send(`select from pg_database where datname = ${quoteLiteral(name)}`)
  return rows.length === 0
}

function explain(error: unknown): unknown {
  if (codeOf(error) !== '42501') return error
  return new DroverError(
    {
      code: 'PRIVILEGE_MISSING',
      message: 'the user of the server for tests may not create databases',
      hint: 'let an administrator run: alter role <user> createdb; or name another user in DROVER_TEST_SERVER',
      sqlstate: '42501',
    },
    { cause: error },
  )
}
