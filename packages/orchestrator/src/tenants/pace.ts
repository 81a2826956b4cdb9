import { setTimeout as sleep } from 'node:timers/promises'

/** What time it is, in milliseconds, and how to let some of it pass. */
export interface Clock {
  now(): number
  /** Ends at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }).catch(() => undefined),
}

/**
 * Spaces things out, so that no more of them begin in a second than they may.
 * @param ratePerSecond default: as many as there are
 * @returns waits for the turn of the next one, or until the signal is aborted
 */
export function paceOf(
  ratePerSecond: number | undefined,
  signal?: AbortSignal,
  clock: Clock = realClock,
): () => Promise<void> {
  if (ratePerSecond === undefined) return async () => {}
  const spaceMs = 1000 / ratePerSecond
  let next = clock.now()
  return async () => {
    const turn = Math.max(next, clock.now())
    next = turn + spaceMs
    const waitMs = turn - clock.now()
    if (waitMs > 1) await clock.sleep(waitMs, signal)
  }
}
