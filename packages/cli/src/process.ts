import { enableCompileCache } from 'node:module'

import type { CliIo, Output, SignalListener } from './io.ts'
import { spareMemory } from './memory.ts'
import { runCli } from './run-cli.ts'

/**
 * Runs the command line on this process: its arguments, streams, environment and signals. Sets the exit code and lets
 * the process end by itself, so that nothing that was written is lost.
 * @param cacheFolder where compiled code is kept from one start to the next. Default: Node's own place
 */
export async function main(cacheFolder?: string): Promise<void> {
  enableCompileCache(cacheFolder)
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  process.exitCode = await runCli(process.argv.slice(2), processIo(), spareMemory)
}

/** Looks at a stream only when it is needed: Node makes each of them on first use, which takes its time. */
function processIo(): CliIo {
  return {
    stdout: outputOf('stdout'),
    stderr: outputOf('stderr'),
    env: process.env,
    cwd: process.cwd(),
    get confirm() {
      return isAttended() ? confirm : undefined
    },
    get choose() {
      return isAttended() ? choose : undefined
    },
    onSignal,
    become: async (program) => (await import('./become.ts')).become(program),
  }
}

function outputOf(name: 'stdout' | 'stderr'): Output {
  return {
    write: (text) => void process[name].write(text),
    get isTTY() {
      return process[name].isTTY
    },
  }
}

function isAttended(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

async function confirm(question: string): Promise<boolean> {
  return /^y(?:es)?$/i.test((await ask(`${question} [y/N] `)) ?? '')
}

async function choose(question: string, answers: readonly string[]): Promise<number> {
  const list = answers.map((answer, index) => `  ${index + 1}  ${answer}\n`).join('')
  for (;;) {
    const answer = await ask(`${question}\n${list}Which one? [1-${answers.length}] `)
    if (answer === undefined) return await interrupt()
    if (/^\d+$/.test(answer) && Number(answer) >= 1 && Number(answer) <= answers.length) return Number(answer) - 1
  }
}

/** What is typed; nothing at the end of the input. */
async function ask(question: string): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(question)).trim()
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error
    process.stderr.write('\n')
    // Ctrl+D is the end of the input. Ctrl+C is here what it is anywhere else.
    return error.message.includes('Ctrl+C') ? await interrupt(error) : undefined
  } finally {
    terminal.close()
  }
}

async function interrupt(cause?: Error): Promise<never> {
  const { DroverError } = await import('@drover/history')
  const hint = 'nothing was changed; run the same command again'
  throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted', hint }, { cause })
}

function onSignal(listener: SignalListener): () => void {
  const listen = (signal: 'SIGINT' | 'SIGTERM') => {
    if (listener(signal) === 'wait') return
    // What is under way on the server ends there as one transaction, done or undone.
    // oxlint-disable-next-line unicorn/no-process-exit -- there is nobody to return to from a signal
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.on('SIGINT', listen)
  process.on('SIGTERM', listen)
  return () => {
    process.off('SIGINT', listen)
    process.off('SIGTERM', listen)
  }
}
