import { DroverError } from '@drover/history'

import type { ExitCode } from './exit-code.ts'
import type { Session } from './session.ts'

/** What SIGINT and SIGTERM mean to something that is under way. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** How a command ends that a signal has stopped. */
  readonly exitCode: () => ExitCode
}

/** How to go along with signals. */
interface InterruptibleOptions {
  /** Called with each signal. */
  readonly onSignal?: (signal: 'SIGINT' | 'SIGTERM') => void
  /** What the document says when the signal came before anything was done. Default: no databases. */
  readonly untouched?: () => Readonly<Record<string, unknown>>
}

/** Does something that signals may stop. One that comes while it still waits for its turn ends the command. */
export async function interruptible(
  session: Session,
  { onSignal, untouched }: InterruptibleOptions,
  act: (interruption: Interruption) => Promise<ExitCode>,
): Promise<ExitCode> {
  const interrupt = new AbortController()
  let first: 'SIGINT' | 'SIGTERM' | undefined
  const exitCode = () => (first === 'SIGTERM' ? 143 : 130)
  const stopListening = session.io.onSignal((signal) => {
    first ??= signal
    onSignal?.(signal)
    interrupt.abort()
  })
  try {
    return await act({ signal: interrupt.signal, exitCode })
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'INTERRUPTED') throw error
    return session.finish(untouched?.() ?? { databases: [] }, error.problems, exitCode())
  } finally {
    stopListening()
  }
}

/**
 * Stops what a signal has come for meanwhile, between two steps that are not worth leaving in the middle.
 * @throws {DroverError} `INTERRUPTED`
 */
export function throwIfInterrupted({ signal }: Interruption): void {
  if (!signal.aborted) return
  const hint = 'nothing was written; run the same command again'
  throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted', hint })
}
