import type { Program } from './find-program.ts'

/** A stream that the command line writes to. */
export interface Output {
  write(text: string): void
  /** Whether a person is looking at it. */
  readonly isTTY: boolean
}

/** Everything that the command line takes from the world, so that tests can call it without a process. */
export interface CliIo {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly cwd: string
  /** Asks a yes-or-no question. Missing where nobody can be asked. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined
  /** Asks which of several answers is meant; resolves to its place, from 0. Missing where nobody can be asked. */
  readonly choose?: ((question: string, answers: readonly string[]) => Promise<number>) | undefined
  /** Calls back on SIGINT and SIGTERM; returns what stops that. */
  readonly onSignal: (listener: SignalListener) => () => void
  /** Has the process become a program. Resolves, with its exit code, only where the program has to be a child instead. */
  readonly become: (program: Program) => Promise<number>
}

/** Hears of a signal, and says whether the process is to end at once. */
export type SignalListener = (signal: 'SIGINT' | 'SIGTERM') => 'wait' | 'end'
