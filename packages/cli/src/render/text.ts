import type { Problem, Revision, Step } from '@drover/history'
import type { Database } from '@drover/orchestrator'

import type { Style } from './style.ts'

/** Lines in columns: every cell but the last of a line is padded to the width of its column. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)))
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** A number of things in words: `1 revision`, `2 revisions`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}

/** A duration as people read it. */
export function duration(ms: number): string {
  // Rounded before it is compared: there is no "1000 ms", no "60.0 s" and no "1 min 60 s".
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** A step as progress and summaries name it. */
export function stepText({ revision }: Step): string {
  return `${revision.id} ${revision.message}`
}

/** What is to be known of how a revision runs, in words. */
export function marksOfRun({ transaction }: Revision): readonly string[] {
  return transaction === 'none' ? ['outside a transaction'] : []
}

/** What an upgrade does with a database that migrates itself, in words; `undefined` for one with revisions. */
export function externalText({ config: { external } }: Database, verb: string): string | undefined {
  return external && (external.command ? `${verb} ${external.command.join(' ')}` : `managed by ${external.managedBy}`)
}

/** A problem for people: what is wrong, where, what the server said, and what to do. */
export function problemText(problem: Problem, style: Style, kind: 'error' | 'warning' = 'error'): string {
  const database = problem.database === undefined ? '' : `${problem.database}: `
  const sqlstate = problem.sqlstate === undefined ? '' : style.dim(` [${problem.sqlstate}]`)
  return [
    `${kind === 'error' ? style.bad('error:') : style.warn('warning:')} ${database}${problem.message}${sqlstate}`,
    ...(problem.statement === undefined ? [] : quoteStatement(problem.statement).map((line) => `    ${line}`)),
    ...(problem.serverNotes ?? []).flatMap((note) => note.split('\n')).map((line) => `  ${line}`),
    ...(problem.hint === undefined ? [] : [`  ${style.strong('next:')} ${problem.hint}`]),
  ].join('\n')
}

/** A statement is there to be recognised; whoever wants all of it has the file and the line. */
function quoteStatement(statement: string): readonly string[] {
  const lines = statement.split('\n')
  const most = 6
  return lines.length <= most ? lines : [...lines.slice(0, most), `… ${lines.length - most} more lines`]
}
