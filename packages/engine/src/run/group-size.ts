import { batchOf } from '../source/batch.ts'
import type { Script } from '../source/script.ts'

/** At most so many revisions are sent in one message. */
const mostRevisions = 128

/** At most so long is the SQL of one message, in UTF-16 units, unless one revision alone is longer. */
const mostText = 256 * 1024

/** How long the server should be busy with one message, in milliseconds: only behind it are its revisions reported. */
const aimMs = 1000

/** Takes the revisions of the next message off the scripts that are left: those at its beginning that may share one. */
export function takeGroup(scripts: readonly Script[], from: number, size: number): readonly Script[] {
  const first = scripts[from]!
  let text = first.sql.length
  let end = from + 1
  while (end < scripts.length && end - from < size && isPlain(first) && mayFollow(scripts[end]!, first)) {
    text += scripts[end]!.sql.length
    if (text > mostText) break
    end += 1
  }
  return scripts.slice(from, end)
}

function mayFollow(script: Script, first: Script): boolean {
  return isPlain(script) && script.direction === first.direction
}

/**
 * How many revisions the next message should have. Begins with one and grows eightfold as long as they are quick, so that slow ones are
 * reported one by one, and a thousand quick ones are ten messages.
 * @param size how many the last one was allowed
 * @param last how many it had carried out, and how long they took
 */
export function nextSize(size: number, last: { readonly count: number; readonly spentMs: number }): number {
  const fitting = Math.floor((last.count * aimMs) / Math.max(last.spentMs, 1))
  return Math.max(1, Math.min(mostRevisions, size * 8, fitting))
}

/** Whether a script is nothing but SQL in one transaction. */
export function isPlain(script: Script): boolean {
  const { transaction, language } = script.revision
  return transaction === undefined && language === undefined && batchOf(script) === undefined
}
