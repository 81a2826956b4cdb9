import { blockedBy, type ObservedStatement, type StepObservation, type TakenLock } from '@drover/engine'
import type { RehearsedPass } from '@drover/orchestrator'

import { type Rehearsed, shorten } from './rehearsal.ts'

/** The rehearsal of a database, for programs. */
export function rehearsalJson(rehearsed: Rehearsed): Readonly<Record<string, unknown>> {
  const { member, origin, verdict, passes, stayed, irreversible, afterDown, afterAgain, lostRows, objects } = rehearsed
  return {
    name: member.database.name,
    origin,
    verdict,
    passes: passes.map(passJson),
    stayed: stayed.map(({ id }) => id),
    ...(irreversible && { irreversible: irreversible.id }),
    objects,
    differences: [
      ...afterDown.map((difference) => ({ after: 'down', ...difference })),
      ...afterAgain.map((difference) => ({ after: 'again', ...difference })),
    ],
    lostRows,
  }
}

function passJson({ pass, steps, failed }: RehearsedPass) {
  return {
    pass,
    steps: [
      ...steps.map(({ direction, revision, durationMs, losses, observation }) => ({
        direction,
        revision: revision.id,
        message: revision.message,
        status: direction === 'up' ? 'applied' : 'reverted',
        durationMs: round(durationMs),
        losses: losses.map(shorten),
        ...observationJson(observation),
      })),
      ...(failed?.observation
        ? [
            {
              direction: failed.observation.direction,
              revision: failed.observation.revision.id,
              message: failed.observation.revision.message,
              status: 'failed',
              losses: [],
              ...observationJson(failed.observation),
            },
          ]
        : []),
    ],
  }
}

function observationJson(observation: StepObservation | undefined) {
  const { statements = [], locks = [], sampled = false } = observation ?? {}
  return { sampled, locks: locks.map(lockJson), statements: statements.map(statementJson) }
}

function statementJson({ statement, line, text, durationMs, sampled, locks }: ObservedStatement) {
  return { statement, line, text: shorten(text), durationMs: round(durationMs), sampled, locks: locks.map(lockJson) }
}

function lockJson({ relation, kind, mode, heldMs }: TakenLock) {
  const blocks = blockedBy(mode)
  return { relation, kind, mode, blocks, ...(heldMs !== undefined && { heldMs: round(heldMs) }) }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
