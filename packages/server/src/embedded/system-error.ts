import { ServerError } from '../server-error.ts'

/** Returns the code (`ENOENT`, `EACCES`, …) of an error of the operating system. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Runs a read and returns undefined when there is no such file or process; other errors pass. */
export function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/** Turns a refusal of the file system into a ServerError that names what could not be used; other errors stay. */
export function asServerError(error: unknown, folder: string): unknown {
  const reason = REFUSALS[systemCode(error) ?? '']
  if (reason === undefined || !(error instanceof Error)) return error
  const path = 'path' in error && typeof error.path === 'string' ? error.path : folder
  const detail = path === folder ? '' : ` (${path})`
  return new ServerError('FOLDER_UNUSABLE', `The server folder ${folder} cannot be used: ${reason}${detail}.`, {
    hint: 'Let this user write there, or give the URL of a server of your own.',
    cause: error,
  })
}

/** Says that another operating system user owns the server of a folder. */
export function belongsToOther(folder: string, cause?: unknown): ServerError {
  return new ServerError(
    'BELONGS_TO_OTHER_USER',
    `The embedded server in ${folder} belongs to another user of this machine; this one may not use it.`,
    {
      hint: 'Use it as the user who started it (root, perhaps), or have that user stop it and remove the folder.',
      cause,
    },
  )
}

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESRCH'])

const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EEXIST: 'there is a file in the way',
  ENOTDIR: 'there is a file in the way',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
}
