import { type Command, runCommand } from '../external/run-command.ts'
import type { DatabaseOutcome } from './outcome.ts'
import type { ReleaseOptions } from './run-release.ts'

/** Has a database migrate itself. Never throws for how that goes: the outcome tells. */
export async function runExternal(before: DatabaseOutcome, options: ReleaseOptions): Promise<DatabaseOutcome> {
  const { database, located } = before.plan.member
  const { external } = database.config
  if (!external?.command) return before
  const { name, folder } = database
  const { command: words, commandTimeoutMs: timeoutMs } = external
  const { root, signal, onEvent, environment = {} } = options
  const command: Command = {
    words,
    root,
    folder,
    url: located.url,
    timeoutMs,
    environment,
    ...(signal && { signal }),
    onLine: (line) => onEvent?.({ type: 'command-output', database: name, line }),
  }
  onEvent?.({ type: 'command-started', database: name, command: words })
  const started = performance.now()
  const end = await runCommand(command)
  if (end.kind === 'interrupted') return { ...before, end: 'interrupted' }
  if (end.kind === 'failed') {
    return { ...before, end: 'failed', failed: { step: undefined, problem: { ...end.problem, database: name } } }
  }
  onEvent?.({ type: 'command-finished', database: name, command: words, durationMs: performance.now() - started })
  return { ...before, end: 'done' }
}
