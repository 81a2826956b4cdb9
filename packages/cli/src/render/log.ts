import type { Problem } from '@drover/history'

/** One thing that is said on stderr, as data. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  /** What it is, from a closed set; docs/reference/cli.md lists them. */
  readonly event: string
  readonly message?: string
  readonly database?: string
  readonly [field: string]: unknown
}

/** An entry as a line of JSON. Whatever names a database names its target, which is the database itself. */
export function logLine(entry: LogEntry, command: string, time: Date): string {
  const { level, event, message, database, ...fields } = entry
  const place = database === undefined ? {} : { database, target: '' }
  return `${JSON.stringify({ time: time.toISOString(), level, event, command, message, ...place, ...fields })}\n`
}

/** Whether a command line asks for such lines. Known before anything is read, as what cannot be read is said in one too. */
export function asksForLog(argv: readonly string[]): boolean {
  return argv.some((word, at) => word === '--log=json' || (word === '--log' && argv[at + 1] === 'json'))
}

/** How a command ended. */
export function endEntry(exitCode: number, ms: number): LogEntry {
  return { level: exitCode === 0 ? 'info' : 'error', event: 'ended', exitCode, durationMs: Math.round(ms) }
}

/** What is wrong, or should be known. */
export function problemEntry(problem: Problem, level: 'warn' | 'error'): LogEntry {
  return { ...problem, level, event: 'problem' }
}
