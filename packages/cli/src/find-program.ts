import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

import { DroverError } from '@drover/history'

import type { CliIo } from './io.ts'

/** A program that a process can become, as the system wants to be told. */
export interface Program {
  /** Absolute path of the file. */
  readonly file: string
  /** All words, with the name that it is called by in front. */
  readonly words: readonly [string, ...(readonly string[])]
}

/**
 * Finds the program that a command names, as a shell would: through PATH, or by its path where there is a slash in it. Looks at
 * everything that could keep it from being started, because a process that fails to become another one is lost.
 * @throws {DroverError} `PROGRAM_MISSING` when there is none, `PROGRAM_UNUSABLE` when it cannot be run
 */
export function findProgram(
  [name, ...args]: readonly [string, ...(readonly string[])],
  { env, cwd }: Pick<CliIo, 'env' | 'cwd'>,
): Program {
  const candidates = name.includes('/') ? [resolve(cwd, name)] : searchPath(name, env['PATH'], cwd)
  const found = candidates.map((file) => ({ file, state: stateOf(file) })).filter(({ state }) => state !== 'missing')
  const usable = found.find(({ state }) => state === 'usable')
  if (usable) return describeProgram(usable.file, [name, ...args])
  const [first] = found
  if (!first) throw missing(name)
  throw unusable(
    first.file,
    first.state === 'folder' ? 'is a folder' : 'may not be executed by this user',
    first.state === 'folder' ? 'name a program' : `chmod +x ${first.file}, or name another program`,
  )
}

/** What a shell would look for where PATH is not set. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin'

function searchPath(name: string, path: string | undefined, cwd: string): readonly string[] {
  if (name === '') return []
  // An empty part means the current folder.
  return (path ?? defaultPath)
    .split(delimiter)
    .map((folder) => join(isAbsolute(folder) ? folder : resolve(cwd, folder), name))
}

function stateOf(file: string): 'missing' | 'folder' | 'forbidden' | 'usable' {
  try {
    if (!statSync(file).isFile()) return 'folder'
    accessSync(file, constants.X_OK)
    return 'usable'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'missing'
  }
}

function describeProgram(file: string, words: Program['words']): Program {
  const head = readHead(file)
  if (head === undefined) return { file, words }
  if (head.startsWith('#!')) {
    checkInterpreter(file, head)
    return { file, words }
  }
  // A script that does not say what reads it is for the shell: the system itself would refuse it. Programs have NULs in them.
  const isScript = !head.includes('\0')
  return isScript ? { file: '/bin/sh', words: ['/bin/sh', file, ...words.slice(1)] } : { file, words }
}

/** How a file begins; `undefined` where it may be executed, but not be read. */
function readHead(file: string): string | undefined {
  try {
    const opened = openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(256)
      return buffer.toString('latin1', 0, readSync(opened, buffer))
    } finally {
      closeSync(opened)
    }
  } catch {
    return undefined
  }
}

function checkInterpreter(file: string, head: string): void {
  const [line] = head.slice(2).split('\n')
  const interpreter = line!.trimStart().split(/[ \t]/)[0]!
  if (stateOf(interpreter) === 'usable') return
  const hint = interpreter.endsWith('\r')
    ? `its lines end in CRLF: save ${file} with LF`
    : `install it, or correct the first line of ${file}`
  throw unusable(file, `is read by ${interpreter.trimEnd()}, which is not there or may not be executed`, hint)
}

function missing(name: string): DroverError {
  return new DroverError({
    code: 'PROGRAM_MISSING',
    message: `there is no program ${JSON.stringify(name)}, and nothing was done`,
    hint: name.includes('/')
      ? 'correct the path behind --'
      : 'install it, add its folder to PATH, or give its path behind --',
  })
}

function unusable(file: string, why: string, hint: string): DroverError {
  return new DroverError({ code: 'PROGRAM_UNUSABLE', message: `${file} ${why}, and nothing was done`, hint })
}
