import { type HookScript, type Moment, runHook } from '@drover/engine'
import type { Direction, Problem } from '@drover/history'

import type { Member } from '../release/fleet.ts'
import type { Held } from '../release/hold.ts'
import type { ReleaseOptions } from '../release/run-release.ts'
import { type HooksOutcome, runHooks } from './run-hooks.ts'

/** The hooks of a database that is held. */
export interface DatabaseHooks extends Held {
  readonly member: Member
  readonly direction: Direction
  readonly hooks: readonly HookScript[]
}

/**
 * Runs the hooks of a database for one moment. Only those before the first revision heed the signal: those after the last one
 * belong to what is applied, and would not be run again.
 * @param problem what has failed, if anything has
 */
export function runDatabaseHooks(
  { member, direction, hooks, run, lease }: DatabaseHooks,
  moment: Moment,
  options: ReleaseOptions,
  problem?: Problem,
): Promise<HooksOutcome> {
  const { connection, database } = member
  const { root, environment, onEvent } = options
  return runHooks(
    hooks.filter((hook) => hook.moment === moment),
    {
      root,
      ...(environment && { environment }),
      signal: moment === 'before' ? options.signal : undefined,
      onEvent: (event) => onEvent?.({ ...event, database: database.name }),
    },
    async (script, surroundings) => {
      const hook = { moment, file: script.file }
      const found = await runHook(connection, script, {
        command: options.command,
        direction,
        run,
        lease,
        surroundings: { ...surroundings, cancel: options.cancel },
        next: nextSteps[moment],
        ...options.limits,
        onRetry: (attempt, reason) =>
          onEvent?.({ type: 'hook-retried', hook, attempt, reason, database: database.name }),
        ...(problem && { problems: [problem] }),
      })
      return found === undefined || found === 'interrupted' ? found : { ...found, database: database.name }
    },
  )
}

const nextSteps: Readonly<Record<Moment, string>> = {
  before: 'run the same command again: no revision of this database was run',
  after:
    'do by hand what it should have done: all revisions of this database were run and stay, so the same command would have nothing to do, and run no hook',
  onFailure: 'do by hand what it should have done',
}
