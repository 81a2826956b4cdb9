import { execFile, type ExecFileException } from 'node:child_process'

import { DroverError } from '@drover/history'

import type { Database } from './discover.ts'

/** Where and how commands are run. */
export interface CommandSurroundings {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How long a command may take. Default 30 s. */
  readonly timeoutMs?: number
}

/**
 * Runs the `urlCommand` of a database, without a shell and with the environment of this call.
 * @returns what it printed, trimmed, and where it is from, for messages
 * @throws {DroverError} `URL_INVALID`, which names the program and never shows what it printed
 */
export async function readFromCommand(
  database: Database,
  surroundings: CommandSurroundings,
): Promise<{ readonly text: string; readonly source: string }> {
  const [program = '', ...args] = database.config.urlCommand ?? []
  const ended = await run(program, args, surroundings)
  const text = ended.stdout.trim()
  const fault = ended.fault ?? (text === '' ? 'printed nothing' : undefined)
  if (fault === undefined) return { text, source: `the output of ${database.name}'s urlCommand` }
  const notes = masked(ended.stderr, text).split('\n').slice(-mostLines)
  throw new DroverError({
    code: 'URL_INVALID',
    database: database.name,
    file: `${database.folder}/database.ts`,
    message: `the urlCommand of ${database.name}, "${program}", ${fault}`,
    hint: `run it by hand, or set ${database.config.url.join(' or ')}`,
    ...(notes.join('') !== '' && { serverNotes: notes }),
  })
}

const mostBytes = 65_536
const mostLines = 10

interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** What went wrong, as the end of a sentence. */
  readonly fault?: string
}

function run(
  program: string,
  args: readonly string[],
  { root, environment, timeoutMs = 30_000 }: CommandSurroundings,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      cwd: root,
      env: { ...environment },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: mostBytes,
    } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ stdout, stderr, ...(error && { fault: describeEnd(error, timeoutMs) }) })
    })
    // Nobody would answer a question.
    child.stdin?.end()
  })
}

function describeEnd({ code, killed, signal }: ExecFileException, timeoutMs: number): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed more than 64 KiB'
  if (killed === true) return `did not end within ${timeoutMs / 1000} seconds`
  if (typeof code === 'number') return `ended with exit code ${code}`
  return typeof code === 'string' ? `cannot be run (${code})` : `was ended by ${String(signal)}`
}

/** What a program says of its failure, without anything that looks like a URL, and without what it printed or a part of that. */
function masked(stderr: string, printed: string): string {
  // Neither the whole nor the words between its punctuation, a password being one of them.
  const secrets = [printed, ...printed.split(/[:/@?&=\s]+/)].filter((word) => word.length >= 4)
  return secrets
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, '***'), stderr.trim())
    .replaceAll(/\S*:\/\/\S+/g, '***')
}
