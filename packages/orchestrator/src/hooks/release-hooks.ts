import { type Moment, readHook, runHookAlone } from '@drover/engine'
import type { Direction, Problem } from '@drover/history'

import type { ReleaseOptions } from '../release/run-release.ts'
import { type HooksOutcome, runHooks } from './run-hooks.ts'

/**
 * Runs the hooks of a release as a whole for one moment. Only those before the first database heed the signal.
 * @param problems what has failed, if anything has
 */
export function runReleaseHooks(
  moment: Moment,
  direction: Direction,
  options: ReleaseOptions,
  problems?: readonly Problem[],
): Promise<HooksOutcome> {
  const { root, environment, onEvent, hooks = [], command, cancel } = options
  return runHooks(
    hooks.filter((hook) => hook.moment === moment).map((hook) => readHook(root, hook)),
    {
      root,
      ...(environment && { environment }),
      signal: moment === 'before' ? options.signal : undefined,
      onEvent: (event) => onEvent?.(event),
    },
    (script, surroundings) =>
      runHookAlone(script, {
        command,
        direction,
        surroundings: { ...surroundings, cancel },
        next: nextSteps[moment],
        ...(problems && { problems }),
      }),
  )
}

const nextSteps: Readonly<Record<Moment, string>> = {
  before: 'run the same command again: no revision was run',
  after: 'do by hand what it should have done: all revisions were run and stay',
  onFailure: 'do by hand what it should have done',
}
