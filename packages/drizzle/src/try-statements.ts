import type { Connection } from '@drover/engine'
import { DroverError } from '@drover/history'

/** What a server says of a statement that it does not take. */
export interface StatementFailure {
  /** Which of the statements it was, from 0; their number when the end of the transaction failed. */
  readonly index: number
  /** Its text; `commit` for the end of the transaction. */
  readonly statement: string
  /** The server's words. */
  readonly message: string
  readonly sqlstate: string | undefined
  /** The server's DETAIL, HINT and CONTEXT. */
  readonly notes: readonly string[]
}

/** Around statements: a transaction of their own, a part of the one that is open, or nothing. */
const frames = {
  'per-revision': { before: ['begin'], after: ['commit'], undo: 'rollback' },
  inside: {
    before: ['savepoint drover'],
    after: ['release savepoint drover'],
    undo: 'rollback to savepoint drover; release savepoint drover',
  },
  // The server answers with a warning, which is dropped.
  none: { before: [], after: [], undo: 'rollback' },
} as const

/**
 * Runs statements one after the other, in one transaction, in a part of the one that is open, or in none.
 * @returns what failed; `undefined` when nothing did. A transaction is undone then.
 * @throws {DroverError} for what is wrong with the connection
 */
export async function tryStatements(
  connection: Connection,
  statements: readonly string[],
  transaction: keyof typeof frames,
): Promise<StatementFailure | undefined> {
  const { before, after, undo } = frames[transaction]
  const framed = [...before, ...statements, ...after]
  const first = before.length
  for (const [index, statement] of framed.entries()) {
    try {
      await connection.send(statement)
    } catch (error) {
      const failure = { index: index - first, statement, ...describeError(error) }
      await connection.send(undo)
      return failure
    }
  }
  return undefined
}

/**
 * The server's words for an error.
 * @throws {DroverError} the error itself, when it is about the connection
 */
export function describeError(error: unknown): Pick<StatementFailure, 'message' | 'sqlstate' | 'notes'> {
  if (error instanceof DroverError && error.code !== 'STATEMENT_FAILED') throw error
  if (!(error instanceof Error)) return { message: String(error), sqlstate: undefined, notes: [] }
  const notes = [note('DETAIL', error, 'detail'), note('HINT', error, 'hint'), note('CONTEXT', error, 'where')]
  return {
    message: error.message,
    sqlstate: field(error, 'code'),
    notes: notes.filter((line) => line !== undefined),
  }
}

function note(label: string, error: Error, name: string): string | undefined {
  const text = field(error, name)
  return text === undefined ? undefined : `${label}: ${text}`
}

function field(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}
