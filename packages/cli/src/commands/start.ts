import { DroverError, type Phase } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import { findProgram, type Program } from '../find-program.ts'
import type { CliIo } from '../io.ts'
import type { PatienceOptions } from '../patience.ts'
import { criticalLines, criticalProblems } from '../render/critical.ts'
import { type CommonOptions, Session } from '../session.ts'
import { readSwitch } from '../switch.ts'
import { readCritical } from './validate.ts'

interface StartOptions extends CommonOptions, PatienceOptions {
  readonly strict?: boolean
  readonly phase?: Phase
  readonly waitLock?: number
  readonly lockTimeout?: number
  readonly lockAttempts?: number
  readonly statementTimeout?: number
  readonly jobs?: number
}

/**
 * Waits for the servers, upgrades, looks for critical tables, and becomes the command. Stdout is the command's: everything that
 * is said before goes to stderr.
 * @param behind the words behind `--`
 * @param words all words that are not options
 */
export async function start(
  session: Session,
  options: StartOptions,
  behind: readonly string[],
  words: readonly string[],
): Promise<number> {
  const program = readCommand(session, options, behind, words)
  if (isSkipping(session.io.env)) {
    session.warn({
      code: 'MIGRATIONS_SKIPPED',
      message: 'DROVER_SKIP_MIGRATIONS is set: nothing is waited for, upgraded or validated',
      hint: 'unset it as soon as the emergency is over; until then the application runs on whatever the databases are',
    })
    return hand(session, program)
  }
  const watch = watchSignals(session)
  try {
    const part = new Session(session.command, partIo(session, watch), session.options, true)
    for (const step of [waitForAll, upgradeAll, validateAll]) {
      const exitCode = watch.exitCode() ?? (await step(part, options))
      if (exitCode !== 0) return session.finish({}, [], exitCode)
    }
    // A signal that came in the last moment is heard now or by the command.
    await new Promise((resolve) => setImmediate(resolve))
    const interrupted = watch.exitCode()
    if (interrupted !== undefined) return session.finish({}, [], interrupted)
  } finally {
    watch.stop()
  }
  return hand(session, program)
}

function readCommand(
  session: Session,
  options: StartOptions,
  behind: readonly string[],
  words: readonly string[],
): Program {
  const [name, ...args] = behind
  if (name === undefined || words.length > behind.length) {
    throw new DroverError({
      code: 'USAGE',
      message: name === undefined ? 'there is no command to start' : `"${words[0]}" stands before --`,
      hint: 'the command stands behind --: pnpm migrate start -- node server.js',
    })
  }
  if (options.json) {
    throw new DroverError({
      code: 'USAGE',
      message: 'stdout belongs to the command, so there is no place for the document of --json',
      hint: 'use --log json, which writes what is done before to stderr',
    })
  }
  return findProgram([name, ...args], session.io)
}

/** Read from the environment alone: in an emergency the workspace itself may be what is wrong. */
function isSkipping(env: CliIo['env']): boolean {
  return readSwitch('DROVER_SKIP_MIGRATIONS', env, 'to start without migrations')
}

async function waitForAll(part: Session, options: StartOptions): Promise<ExitCode> {
  const { wait } = await import('./wait.ts')
  return wait(part, options)
}

/** Replicas that start together wait for the one that upgrades, however long that takes. */
const waitLockMs = 30 * 60_000

async function upgradeAll(part: Session, options: StartOptions): Promise<ExitCode> {
  const { upgrade } = await import('./release.ts')
  return upgrade(part, { ...options, waitLock: options.waitLock ?? waitLockMs })
}

async function validateAll(part: Session, options: StartOptions): Promise<ExitCode> {
  const findings = await readCritical(part)
  part.print(...criticalLines(findings, part.out))
  const problems = criticalProblems(findings)
  if (options.strict) return part.finish({}, problems)
  for (const problem of problems) part.warn(problem)
  return 0
}

/** What has been heard of signals, over all steps and between them. */
interface Watch {
  /** How a command ends that a signal has come for; `undefined` when none has. */
  readonly exitCode: () => ExitCode | undefined
  /** Listens to signals for a step. */
  readonly onSignal: CliIo['onSignal']
  readonly stop: () => void
}

/**
 * Listens to signals the whole time: process 1 of a container is not ended by one that it does not listen to. While a step
 * listens, it decides; between steps nothing is under way that would have to come to an end.
 */
function watchSignals(session: Session): Watch {
  let first: 'SIGINT' | 'SIGTERM' | undefined
  const listeners = new Set<Parameters<CliIo['onSignal']>[0]>()
  const stop = session.io.onSignal((signal) => {
    first ??= signal
    if ([...listeners].some((listener) => listener(signal) === 'wait')) return 'wait'
    if (listeners.size === 0) session.tell(() => ({ level: 'warn', event: 'signal', message: signal, signal }), signal)
    session.finish({}, [], codeOf(first))
    return 'end'
  })
  return {
    exitCode: () => first && codeOf(first),
    onSignal: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop,
  }
}

function codeOf(signal: 'SIGINT' | 'SIGTERM'): ExitCode {
  return signal === 'SIGINT' ? 130 : 143
}

/** What a step has of the world: what it would say on stdout is progress here. */
function partIo({ io, options, isLogged }: Session, { onSignal }: Watch): CliIo {
  const { stderr, env, cwd } = io
  const nowhere = { write: () => {}, isTTY: false }
  // Nobody is asked: even looking whether somebody could be opens stdin, which is the command's.
  return {
    stdout: options.quiet || isLogged ? nowhere : stderr,
    stderr,
    env,
    cwd,
    onSignal,
    become: (program) => io.become(program),
  }
}

/** Hands the process over. The arguments are not shown: there may be secrets in them. */
async function hand(session: Session, program: Program): Promise<number> {
  session.progress(`starting ${program.file}`)
  return session.io.become(program)
}
