import type { Script } from '../source/script.ts'
import { lineAt } from '../source/statements.ts'

/** One statement that is done. */
export interface FinishedStatement {
  /** From 1. */
  readonly statement: number
  /** In its file. */
  readonly line: number
  /** In milliseconds. */
  readonly durationMs: number
  /** When it began, in milliseconds from the beginning of its revision. Missing for one that is told of as soon as it is done. */
  readonly offsetMs?: number
}

/** The column in which the rows that tell how far the server came tell when, in milliseconds by its clock. */
export const timeColumn = 'drover:time'
export const selectTime = `(extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000)::pg_catalog.float8 as "${timeColumn}"`

/**
 * How long the statements of scripts took that ran one after the other.
 * @param times of those rows: one before the first statement of a script, and one after each
 * @returns of each script those that are known
 */
export function timeStatements(
  scripts: readonly Script[],
  times: readonly number[],
): readonly (readonly FinishedStatement[])[] {
  let from = 0
  return scripts.map(({ sql, statements }) => {
    const own = times.slice(from, (from += statements.length + 1))
    return own.slice(1).map((end, index) => ({
      statement: index + 1,
      line: lineAt(sql, statements[index]!.start),
      // The clock of a server may be put back.
      durationMs: Math.max(0, end - own[index]!),
      offsetMs: Math.max(0, own[index]! - own[0]!),
    }))
  })
}
