import type { Blocker, Problem } from '@drover/history'

import type { Message } from '../run/message.ts'
import type { Script } from '../source/script.ts'
import { lineAt } from '../source/statements.ts'
import { adviseOn } from './advice.ts'
import { excerptOf, placeAt } from './excerpt.ts'
import { readServerError, type ServerError } from './server-error.ts'

/** PostgreSQL's five-character code of an error, when it has one. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What is known of a failed statement besides what the server said. */
export interface Circumstances {
  /** Who held the lock that was not to be had. */
  readonly blockers?: readonly Blocker[] | undefined
  /** What there is to do when the cause is put right. Default: the same command again. */
  readonly next?: string | undefined
}

/** What a statement stands in: a side of a revision, or a file that is part of none. */
export type Source = Pick<Script, 'direction' | 'file' | 'sql' | 'statements'> & {
  readonly revision?: Pick<Script['revision'], 'id'>
}

const runAgain = 'run the same command again: nothing of this revision was kept'

/**
 * Describes an error of the server as a failed statement of a script: file, line and column, the lines themselves, SQLSTATE, and
 * what to do. The statement is the one that the error's position lies in; errors at run time have no position, then it is the one
 * after the last that was completed, and there is no column.
 * @param completed -1 when the server did not come as far as the first
 */
export function describeStatementError(
  error: unknown,
  script: Source,
  message: Message,
  completed: number,
  { blockers = [], next = runAgain }: Circumstances = {},
): Problem {
  const { revision, direction, file, sql, statements } = script
  const told = readServerError(error)
  const located = told.position === undefined ? undefined : message.locate(told.position)
  const statement = statements[located?.statement ?? completed]
  const failed = { file, id: revision?.id, direction, text: statement?.text ?? '', blockers }
  const common = {
    code: 'STATEMENT_FAILED',
    ...(revision && { revision: revision.id }),
    file,
    hint: `${adviseOn(told, failed)}, then ${next}`,
    ...(told.sqlstate !== undefined && { sqlstate: told.sqlstate }),
    serverNotes: notesOf(told),
    ...(blockers.length > 0 && { blockers }),
  } as const
  if (!statement) {
    const place = completed < 0 ? 'before its first statement' : 'at the end of its transaction'
    return { ...common, message: `${file}, ${place}: ${told.message}` }
  }
  const part = { start: statement.start, end: statement.start + statement.text.length, caret: located?.offset }
  const place = located ? placeAt(sql, located.offset) : { line: lineAt(sql, statement.start) }
  return {
    ...common,
    ...place,
    statement: statement.text,
    excerpt: excerptOf(sql, part),
    message: `${file}:${Object.values(place).join(':')}: ${told.message}`,
  }
}

/** What the server has added, a line or several each. A query that a function has made stands in no file, and is shown here. */
function notesOf({ detail, hint, internalQuery, internalPosition, where }: ServerError): readonly string[] {
  return [
    ...(detail === undefined ? [] : [`DETAIL: ${detail}`]),
    ...(hint === undefined ? [] : [`HINT: ${hint}`]),
    ...(internalQuery === undefined ? [] : [['QUERY:', ...quoteQuery(internalQuery, internalPosition)].join('\n')]),
    ...(where === undefined ? [] : [`CONTEXT: ${where}`]),
  ]
}

function quoteQuery(query: string, position: number | undefined): readonly string[] {
  const caret =
    position === undefined
      ? undefined
      : Array.from(query)
          .slice(0, position - 1)
          .join('').length
  return excerptOf(query, { start: 0, end: query.length, caret }).map((line) => `  ${line}`)
}
