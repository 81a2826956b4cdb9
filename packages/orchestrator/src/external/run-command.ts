import type { ChildProcess } from 'node:child_process'
import { delimiter, join } from 'node:path'

import { type ConnectionUrl, type Environment, readOutput, withoutSecrets } from '@drover/engine'
import type { Problem } from '@drover/history'

/** The command with which a database migrates itself. */
export interface Command {
  /** The program and its arguments; no shell reads them. */
  readonly words: readonly [string, ...(readonly string[])]
  /** Absolute path of the workspace's root. */
  readonly root: string
  /** The folder that it runs in, from the root. */
  readonly folder: string
  /** Of the database; the command gets it with its password as `DATABASE_URL`. */
  readonly url: ConnectionUrl
  readonly timeoutMs: number
  /** What PATH, HOME and the like are taken from. Nothing else of it reaches the command: there are secrets of other databases in it. */
  readonly environment: Environment
  /** Ends the command, as Ctrl+C does. */
  readonly signal?: AbortSignal
  /** Called with each line of either of its streams, the password masked. */
  readonly onLine: (line: string) => void
}

/** How a command ended. `interrupted`: because of the signal. */
export type CommandEnd =
  | { readonly kind: 'done' | 'interrupted' }
  | { readonly kind: 'failed'; readonly problem: Problem }

/**
 * Runs a command and waits for it, and for all that it has started. Never throws: how it went is the result. One that
 * outlasts its time, or does not heed a signal, is killed.
 */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const [program, ...args] = command.words
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(program, args, {
    cwd: join(command.root, command.folder),
    env: environmentOf(command),
    // A group of its own, so that a signal reaches what it has started, and that of a terminal does not come twice.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const last: string[] = []
  const onLine = (line: string) => {
    last.push(line)
    if (last.length > lastLines) last.shift()
    command.onLine(line)
  }
  const read = readOutput([child.stdout, child.stderr], command.url, onLine)
  let reason: 'timeout' | 'signal' | undefined
  const stop = (why: 'timeout' | 'signal') => {
    reason ??= why
    signalGroup(child, why === 'signal' ? 'SIGINT' : 'SIGTERM')
    killing ??= setTimeout(() => kill(child), graceMs)
  }
  let killing: NodeJS.Timeout | undefined
  const onAbort = () => stop('signal')
  const onExit = () => kill(child)
  const timer = setTimeout(() => stop('timeout'), command.timeoutMs)
  command.signal?.addEventListener('abort', onAbort)
  process.once('exit', onExit)
  try {
    const end = await endOf(child)
    await read
    if (end.kind === 'ended' && end.code === 0) return { kind: 'done' }
    if (reason === 'signal') return { kind: 'interrupted' }
    return { kind: 'failed', problem: describe(command, end, reason === 'timeout', last) }
  } finally {
    clearTimeout(timer)
    clearTimeout(killing)
    command.signal?.removeEventListener('abort', onAbort)
    process.off('exit', onExit)
  }
}

/** How long a command may go on after a signal, in milliseconds. */
const graceMs = 10_000
/** How much of the output is told again with a failure. */
const lastLines = 5

type End =
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'not-started'; readonly error: NodeJS.ErrnoException }

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', error }))
    child.once('close', (code, signal) => resolve({ kind: 'ended', code, signal }))
  })
}

function environmentOf({ root, folder, url, environment }: Command): Record<string, string> {
  const { PATH, ...others } = withoutSecrets(environment)
  // As scripts of packages have it: what a package depends on is found by its name.
  const programs = [folder, ''].map((path) => join(root, path, 'node_modules', '.bin'))
  return {
    ...others,
    PATH: [...programs, ...(PATH === undefined ? [] : [PATH])].join(delimiter),
    DATABASE_URL: url.revealUrl(),
  }
}

function kill(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL')
  // Whatever has left the group may hold them open for ever.
  child.stdout?.destroy()
  child.stderr?.destroy()
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

function describe({ words, folder, timeoutMs }: Command, end: End, late: boolean, last: readonly string[]): Problem {
  const about = { code: 'COMMAND_FAILED', file: `${folder}/database.ts`, serverNotes: [...last] } as const
  const name = words.join(' ')
  if (end.kind === 'not-started') {
    const isMissing = end.error.code === 'ENOENT'
    return {
      ...about,
      message: `"${name}" cannot be started: ${isMissing ? `there is no program "${words[0]}"` : end.error.message}`,
      hint: isMissing
        ? `install ${words[0]}, or correct "command" in ${about.file}`
        : `correct "command" in ${about.file}`,
    }
  }
  if (late) {
    return {
      ...about,
      message: `"${name}" was ended: it took longer than ${timeoutMs / 1000} s`,
      hint: `see what it waits for, or give it more time with "commandTimeout" in ${about.file}`,
    }
  }
  const how = end.signal === null ? `exit code ${end.code}` : end.signal
  return {
    ...about,
    message: `"${name}" ended with ${how}`,
    hint: 'correct what it says, then run the same command again',
  }
}
