import type { Problem } from '@drover/history'

import type { Message } from '../run/message.ts'
import type { Script } from '../source/script.ts'
import { lineAt } from '../source/statements.ts'

/** PostgreSQL's five-character code of an error, when it has one. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Describes an error of the server as a failed statement of a script: file, line, statement, SQLSTATE. The statement is
 * the one that the error's position lies in; errors at run time have no position, then it is the one after the last that was
 * completed. `completed` is -1 when the server did not come as far as the first.
 */
export function describeStatementError(error: unknown, script: Script, message: Message, completed: number): Problem {
  const { revision, file, sql, statements } = script
  const sqlstate = sqlstateOf(error)
  const position = Number(field(error, 'position'))
  const located = position > 0 ? message.locate(position) : undefined
  const statement = statements[located?.statement ?? completed]
  const text = error instanceof Error ? error.message : String(error)
  const hint =
    (sqlstate && hints.get(sqlstate)) ??
    `nothing of this revision was kept: correct ${file} and run the same command again`
  const notes = [note('DETAIL', error, 'detail'), note('HINT', error, 'hint'), note('CONTEXT', error, 'where')]
  const common = {
    code: 'STATEMENT_FAILED',
    revision: revision.id,
    file,
    hint,
    ...(sqlstate !== undefined && { sqlstate }),
    serverNotes: notes.filter((line) => line !== undefined),
  } as const
  if (!statement) {
    const place = completed < 0 ? 'before its first statement' : 'at the end of its transaction'
    return { ...common, message: `${file}, ${place}: ${text}` }
  }
  const line = lineAt(sql, located?.offset ?? statement.start)
  return { ...common, line, statement: statement.text, message: `${file}:${line}: ${text}` }
}

const hints: ReadonlyMap<string, string> = new Map([
  [
    '25001',
    'this statement cannot run in a transaction: write "transaction": "none" into the revision.json beside it, best of a revision with nothing else in it',
  ],
  ['42501', 'the user of this URL may not do this: grant it, or connect as the owner of the objects'],
  [
    '55P03',
    'somebody holds a lock on a table that this needs: run again when it is less busy, or raise --lock-timeout',
  ],
  ['40P01', 'somebody holds locks that this needs: run again when it is less busy'],
  ['57014', 'it was cancelled, by --statement-timeout or by an administrator: nothing of this revision was kept'],
  ['53100', "the server's disk is full: make room, then run the same command again"],
  ['25006', 'this server is read-only, probably a standby: use the URL of the primary'],
])

function note(label: string, error: unknown, name: string): string | undefined {
  const text = field(error, name)
  return text === undefined ? undefined : `${label}: ${text}`
}

function field(error: unknown, name: string): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
