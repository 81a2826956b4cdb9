import { DroverError } from '@drover/history'

import type { ExitCode } from './exit-code.ts'
import type { Session } from './session.ts'

/** What SIGINT and SIGTERM mean to something that is under way. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** Aborted by the second one, where what is done can be told to end at once; otherwise that ends the process. */
  readonly cancel: AbortSignal
  /** How a command ends that a signal has stopped. */
  readonly exitCode: () => ExitCode
}

/** How to go along with signals. */
interface InterruptibleOptions {
  /** Called with each signal, and how many there have been with it. */
  readonly onSignal?: (signal: 'SIGINT' | 'SIGTERM', received: number) => void
  /** Whether what is done goes along with `cancel`. Default `false`. */
  readonly cancellable?: boolean
  /** What the document says when the signal came before anything was done. Default: no databases. */
  readonly untouched?: () => Readonly<Record<string, unknown>>
}

/** Does something that signals may stop. One that comes while it still waits for its turn ends the command. */
export async function interruptible(
  session: Session,
  { onSignal, untouched, cancellable = false }: InterruptibleOptions,
  act: (interruption: Interruption) => Promise<ExitCode>,
): Promise<ExitCode> {
  const [interrupt, cancel] = [new AbortController(), new AbortController()]
  const patience = cancellable ? 2 : 1
  let received = 0
  let first: 'SIGINT' | 'SIGTERM' | undefined
  const exitCode = () => (first === 'SIGTERM' ? 143 : 130)
  const stopListening = session.io.onSignal((signal) => {
    first ??= signal
    received += 1
    // Whoever asks once more does not want to wait.
    if (received > patience) return 'end'
    onSignal?.(signal, received)
    const ending = received === 1 ? interrupt : cancel
    ending.abort()
    return 'wait'
  })
  try {
    return await act({ signal: interrupt.signal, cancel: cancel.signal, exitCode })
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
export function throwIfInterrupted({ signal }: Pick<Interruption, 'signal'>): void {
  if (!signal.aborted) return
  const hint = 'nothing was written; run the same command again'
  throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted', hint })
}
