import type { History } from '@drover/history'

import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import { cleanSession, holderOf, limitTime, writeGuard, writeRecord } from './guard.ts'

/** One revision as one message to the server, with the way back from a position in it to the file. */
export interface Message {
  readonly sql: string
  /** The column of the row that the server sends after the guard, and after each statement of the script. */
  readonly markerColumn: string
  /** Finds the statement and its place in the file for an error's position, which counts characters from 1. */
  locate(position: number): { readonly statement: number; readonly offset: number } | undefined
}

/** What goes into a message besides the script. */
export interface MessageContext {
  readonly history: History
  readonly run: Run
  /** Of the lease that this run holds. */
  readonly token: string
  /** In milliseconds; 0 waits for ever. */
  readonly lockTimeoutMs: number
  /** In milliseconds; 0 is without a limit. */
  readonly statementTimeoutMs: number
}

/**
 * Writes the message that runs one revision: guard, statements, and the record of it, in one implicit transaction. An
 * error anywhere undoes all of it. A row after the guard and after each statement tells how far the server came, because an error at run
 * time carries no position.
 */
export function writeMessage(script: Script, context: MessageContext): Message {
  const holder = holderOf(context.run, context.token)
  let sql = `${preamble(context)}${writeGuard(script, context.history, holder)}${marker}`
  const starts = script.statements.map((statement) => {
    const start = sql.length
    sql += `${statement.text};${marker}`
    return start
  })
  // Behind a pooler, whoever comes next has this session, and this run perhaps another. What the revision has deferred to the
  // commit is done before that, with the settings that it has left.
  sql += `${writeRecord(script, holder)};\nset constraints all immediate;\n${cleanSession}`
  return {
    sql,
    markerColumn,
    locate: (position) => {
      const at = toUtf16(sql, position - 1)
      const statement = starts.findLastIndex((start) => start <= at)
      const found = script.statements[statement]
      if (!found || at > starts[statement]! + found.text.length) return undefined
      return { statement, offset: found.start + at - starts[statement]! }
    },
  }
}

/** A message of Drover's own, with nothing of a script in it. */
export function writeOwnMessage(sql: string): Message {
  return { sql, markerColumn, locate: () => undefined }
}

/** One statement of a script as a message, with or without something around it that makes it a transaction. */
export function writeSingle(
  { statements }: Script,
  index: number,
  around: { readonly before: string; readonly after: string } | undefined,
): Message {
  const { text, start } = statements[index]!
  const before = around ? `${around.before}${marker}` : ''
  const sql = around ? `${before}${text};${marker}${around.after}` : text
  return {
    sql,
    markerColumn,
    locate: (position) => {
      const at = toUtf16(sql, position - 1) - before.length
      return at < 0 || at > text.length ? undefined : { statement: index, offset: start + at }
    },
  }
}

const markerColumn = 'drover:done'
const marker = `select 1 as "${markerColumn}";\n`

/** What a message begins with: a clean session, and how long its statements may wait and take. */
export function preamble(context: Pick<MessageContext, 'lockTimeoutMs' | 'statementTimeoutMs'>): string {
  return `${cleanSession} select pg_catalog.pg_advisory_unlock_all();
${limitTime(context)}`
}

/** Index in UTF-16 units of the character at `characters`. */
function toUtf16(text: string, characters: number): number {
  let index = 0
  for (let passed = 0; passed < characters && index < text.length; passed += 1) {
    index += text.codePointAt(index)! > 0xffff ? 2 : 1
  }
  return index
}
