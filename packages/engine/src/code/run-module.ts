import type { ChildProcess } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { ConnectionUrl } from '../connect/connection-url.ts'
import { maskSecrets } from '../connect/mask-secrets.ts'
import { type Environment, withoutSecrets } from './environment.ts'
import type { ChildMessage, ModuleFault, ModuleProgress, ModuleTask, ParentMessage } from './protocol.ts'
import { readOutput } from './read-output.ts'

/** Where code of the workspace runs, and who listens to it. */
export interface Surroundings {
  /** Absolute path of the workspace's root, which is its current folder. */
  readonly root: string
  /** What its own is taken from; of that it sees what is no secret. */
  readonly environment: Environment
  /** Aborts the signal that the code has. It may go on to its end all the same. */
  readonly signal?: AbortSignal | undefined
  /** Kills it. */
  readonly cancel?: AbortSignal | undefined
  /** Called with each line that it prints, without secrets. */
  readonly onLine?: (line: string) => void
  readonly onProgress?: (progress: ModuleProgress) => void
}

/** A function of a module's default export, and the transaction that it is called in. */
export interface ModuleCall extends Pick<ModuleTask, 'call' | 'expected' | 'before' | 'after' | 'about'> {
  /** Path from the root. */
  readonly file: string
}

/** How it ended: everything is committed, or nothing is. */
export type ModuleEnd =
  | { readonly kind: 'done' | 'interrupted' }
  | { readonly kind: 'failed'; readonly fault: ModuleFault }
  /** The process ended by itself. What was committed, if the commit was under way, the database knows. */
  | { readonly kind: 'died'; readonly reason: string; readonly lastLines: readonly string[] }

/**
 * Calls a function of a module in a process of its own, with a connection of its own, in one transaction. The process has no
 * secret in its environment or in its arguments, and ends with this one. Never throws for how it went.
 * @param url of the database that the connection is to. Without one, the function is about no database, and has none
 */
export async function runModule(
  url: ConnectionUrl | undefined,
  call: ModuleCall,
  surroundings: Surroundings,
): Promise<ModuleEnd> {
  const { root, environment, signal, cancel, onLine, onProgress } = surroundings
  if (signal?.aborted) return { kind: 'interrupted' }
  // Loaded here, as in other places: what most runs never start is not to make each of them slower.
  const { fork } = process.getBuiltinModule('node:child_process')
  const child = fork(fileURLToPath(import.meta.resolve('@drover/engine/code-process')), {
    env: childEnvironment(environment),
    execArgv: [],
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lastLines: string[] = []
  const output = readOutput([child.stdout!, child.stderr!], url, (line) => {
    lastLines.push(line)
    if (lastLines.length > mostLines) lastLines.shift()
    onLine?.(line)
  })
  let ended: Extract<ChildMessage, { readonly type: 'ended' }> | undefined
  child.on('message', (message: ChildMessage) => {
    if (message.type === 'ended') ended = message
    else onProgress?.(message.progress)
  })
  const onAbort = () => say(child, { type: 'abort' })
  const kill = () => void child.kill('SIGKILL')
  signal?.addEventListener('abort', onAbort)
  cancel?.addEventListener('abort', kill)
  process.once('exit', kill)
  try {
    const database = url && { url: url.revealUrl(), source: url.source }
    say(child, {
      type: 'run',
      parent: process.pid,
      task: { ...call, root, file: join(root, call.file), ...(database && { database }) },
    })
    const reason = await endOf(child)
    // What it has started may hold its streams open for ever.
    await Promise.race([output, sleep(graceMs, undefined, { ref: false })])
    child.stdout?.destroy()
    child.stderr?.destroy()
    if (!ended) return { kind: 'died', reason, lastLines }
    if (!ended.fault) return { kind: 'done' }
    // Nothing of it was kept, and somebody has asked for just that.
    if (signal?.aborted && ended.fault.kind !== 'torn') return { kind: 'interrupted' }
    return { kind: 'failed', fault: url ? withoutPasswords(ended.fault, url) : ended.fault }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    cancel?.removeEventListener('abort', kill)
    process.off('exit', kill)
  }
}

/** How much of the output is told again when it ends without a word. */
const mostLines = 5
/** How long its output is waited for once it has ended, in milliseconds. */
const graceMs = 1000

function childEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const cache = getCompileCacheDir()
  return { ...withoutSecrets(environment), ...(cache !== undefined && { NODE_COMPILE_CACHE: dirname(cache) }) }
}

/** One that has ended hears nothing, and its end says so. */
function say(child: ChildProcess, message: ParentMessage): void {
  child.send(message, () => {})
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    )
  })
}

function withoutPasswords(fault: ModuleFault, url: ConnectionUrl): ModuleFault {
  const { message, statement, server } = fault
  const mask = (text: string) => maskSecrets(text, url)
  return {
    ...fault,
    message: mask(message),
    ...(statement !== undefined && { statement: mask(statement) }),
    ...(server && { server: Object.fromEntries(Object.entries(server).map(([name, text]) => [name, mask(text)])) }),
  }
}
