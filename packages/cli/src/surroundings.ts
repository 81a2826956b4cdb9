import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'

import { DroverError } from '@drover/history'

/** What `.env` in the workspace's root says; nothing where there is none. @throws {DroverError} `CONFIG_INVALID` when it cannot be read */
export function readDotEnv(root: string): Readonly<Record<string, string | undefined>> {
  const text = readIfThere(join(root, '.env'))
  if (text === undefined) return {}
  // Loaded here because most workspaces have no such file.
  const { parseEnv } = process.getBuiltinModule('node:util')
  return parseEnv(text)
}

/** The commit of the checkout, read from git's own files: starting git would take longer than everything else. */
export function readGitCommit(root: string): string | undefined {
  const head = readIfThere(join(root, '.git', 'HEAD'))?.trim()
  if (head === undefined || !head.startsWith('ref: ')) return head
  const name = head.slice('ref: '.length)
  const loose = readIfThere(join(root, '.git', name))?.trim()
  if (loose !== undefined) return loose
  const packed = readIfThere(join(root, '.git', 'packed-refs'))
  return packed
    ?.split('\n')
    .find((line) => line.endsWith(` ${name}`))
    ?.split(' ')[0]
}

/** Who runs this process. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the process may have a number that no user has.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined
    throw new DroverError(
      { code: 'CONFIG_INVALID', file: path, message: `${path} cannot be read`, hint: 'check its permissions' },
      { cause: error },
    )
  }
}
