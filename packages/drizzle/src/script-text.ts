import { unfilledMarker } from '@drover/engine'

/** What stands between statements for drizzle-orm's own migrator; a comment for everything else. */
const breakpoint = '--> statement-breakpoint'

/** What is said at the top of a script. */
export interface ScriptHead {
  /** Lines for whoever reviews it, without the `--`. */
  readonly remarks: readonly string[]
  /** Why it refuses to run until somebody has edited it; missing when it may run. */
  readonly unproved?: string
}

/**
 * Writes statements (without closing semicolons) as a script that Drover, psql and drizzle-orm's migrator run alike.
 * No statements: a script that says so.
 */
export function formatScript(statements: readonly string[], { remarks, unproved }: ScriptHead): string {
  const lines = [
    ...(unproved === undefined ? [] : markUnproved(unproved)),
    ...remarks.flatMap((remark) => remark.split('\n')).map((line) => `-- ${line}`.trimEnd()),
  ]
  const body = statements.length === 0 ? ['-- Nothing to change.'] : statements.map((statement) => `${statement};`)
  return `${[...lines, body.join(`\n${breakpoint}\n`)].join('\n')}\n`
}

/** The marker that keeps a script from running, with the reason under it. */
function markUnproved(reason: string): readonly string[] {
  return [
    `${unfilledMarker}: not proved. Correct what is said below, then remove this line`,
    ...reason.split('\n').map((line) => `-- ${line}`.trimEnd()),
  ]
}

/** A statement as drizzle-kit writes it, without its semicolon, and indented with spaces where it lists columns. */
export function tidyStatement(statement: string): string {
  const text = statement.trim().replace(/;$/, '')
  // Everything in a list of columns stands on a line of its own behind a tab, unless a literal spans lines.
  return text.startsWith('CREATE TABLE') && !/'[^']*\n[^']*'/.test(text) ? text.replaceAll(/^\t/gm, '  ') : text
}
