import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isMainThread } from 'node:worker_threads'

import type { Program } from './find-program.ts'

/**
 * Has this process become another program, with the same process id, environment and standard streams. Where a process cannot
 * (Windows, worker threads), the program becomes its child, whose signals are passed on.
 * @returns only of a child: its exit code, or 128 and the number of the signal that has ended it
 */
export async function become({ file, words }: Program): Promise<number> {
  await Promise.all([process.stdout, process.stderr].map(written))
  for (const stream of [process.stdin, process.stdout, process.stderr]) makeBlocking(stream)
  if (process.execve === undefined || !isMainThread) return runAsChild({ file, words })
  // Node has these ignored, and what is ignored stays so in a new program; what is listened to does not.
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, () => {})
  return process.execve(file, words, definedOf(process.env))
}

/** Waits until all is written; also where the reader has gone. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}

/** Leaves a stream as other programs expect one: Node has those that it knows fail rather than wait, and commander makes it know all three. */
function makeBlocking(stream: NodeJS.ReadStream | NodeJS.WriteStream): void {
  const handle: unknown = Reflect.get(stream, '_handle')
  if (isPipe(handle)) handle.setBlocking(true)
}

function isPipe(handle: unknown): handle is { setBlocking(blocking: boolean): void } {
  return typeof handle === 'object' && handle !== null && 'setBlocking' in handle
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

function runAsChild({ file, words: [name, ...args] }: Program): Promise<number> {
  const pass = (signal: NodeJS.Signals) => {
    // A terminal tells both of us.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  // Before the command begins: it may be sent a signal as soon as it has.
  for (const signal of passedOn) process.on(signal, pass)
  const child = spawn(file, args, { stdio: 'inherit', argv0: name })
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]))
  }).finally(() => {
    for (const signal of passedOn) process.off(signal, pass)
  })
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
