import type { ModuleProgress } from './protocol.ts'

/** Says how far something has come: the first time at once, then at most once a second, and at the end what was said last. */
export interface ProgressReporter {
  report(done: number, total?: number): void
  /** Tells what has not been told yet. */
  finish(): void
}

/**
 * Makes one.
 * @param now in milliseconds; only differences count
 * @param before how long it has already been at it, in milliseconds
 */
export function reportProgress(
  tell: (progress: ModuleProgress) => void,
  now: () => number,
  before = 0,
): ProgressReporter {
  const began = now() - before
  let told = -Infinity
  let untold: ModuleProgress | undefined
  const finish = () => {
    if (untold) tell(untold)
    untold = undefined
  }
  return {
    report: (done, total) => {
      const time = now()
      untold = { done, ...(total !== undefined && { total }), elapsedMs: time - began }
      if (time - told < interval) return
      told = time
      finish()
    },
    finish,
  }
}

const interval = 1000
