import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type ExportedFile, isExported } from '@drover/engine'
import { DroverError, type Problem, throwProblems } from '@drover/history'

/** What becomes of a file in a folder. */
export interface FileChange {
  readonly name: string
  /** `stale`: an earlier export has written it, and this one does not. */
  readonly kind: 'new' | 'unchanged' | 'stale'
  /** Missing for one that is made from no single revision, or is stale. */
  readonly revision?: string
}

/** A folder into which a history is exported. */
export interface ExportFolder {
  /** Absolute. */
  readonly path: string
  /** As it was typed. */
  readonly shown: string
}

/**
 * Compares a folder with what is to be in it. It need not be there.
 * @param migrations where the history comes from: another one's files are not its own
 * @throws {DroverError} `EXPORT_REFUSED` with every file in it that a runner would read or that is in the way, and that no export of
 * this history has written; `WRITE_FAILED` when it cannot be read
 */
export function compareFolder(
  { path, shown }: ExportFolder,
  files: readonly ExportedFile[],
  migrations: string,
): readonly FileChange[] {
  const present = readFolder({ path, shown })
  const problems: Problem[] = []
  const isOurs = (name: string): boolean => {
    const text = present.get(name)
    const ours = text !== undefined && isExported(text, migrations)
    if (!ours) problems.push(describeForeign(join(shown, name), migrations))
    return ours
  }
  const wanted = files.map(({ name, text, revision }): FileChange => {
    const isSame = present.get(name) === text
    if (present.has(name) && !isSame) isOurs(name)
    return { name, kind: isSame ? 'unchanged' : 'new', ...(revision !== undefined && { revision }) }
  })
  const names = new Set(files.map(({ name }) => name))
  const others = [...present.keys()].filter((name) => !names.has(name) && /\.(?:sql|conf)$/.test(name))
  const stale = others.filter(isOurs).map((name): FileChange => ({ name, kind: 'stale' }))
  throwProblems(problems)
  return [...wanted, ...stale]
}

/**
 * Makes a folder what it is to be.
 * @throws {DroverError} `WRITE_FAILED`
 */
export function changeFolder(
  folder: ExportFolder,
  files: readonly ExportedFile[],
  changes: readonly FileChange[],
): void {
  const texts = new Map(files.map(({ name, text }) => [name, text]))
  orFail(folder, 'written to', () => {
    mkdirSync(folder.path, { recursive: true })
    for (const { name, kind } of changes) {
      if (kind === 'new') writeFileSync(join(folder.path, name), texts.get(name)!)
      else if (kind === 'stale') rmSync(join(folder.path, name))
    }
  })
}

/** What is in a folder, by name; `undefined` for what is no file. */
function readFolder(folder: ExportFolder): ReadonlyMap<string, string | undefined> {
  return orFail(folder, 'read', () => {
    try {
      const entries = readdirSync(folder.path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return new Map(
        entries.map((entry) => [
          entry.name,
          entry.isFile() ? readFileSync(join(folder.path, entry.name), 'utf8') : undefined,
        ]),
      )
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return new Map<string, undefined>()
      throw error
    }
  })
}

function orFail<Result>({ shown }: ExportFolder, verb: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const code = codeOf(error)
    const message = `${shown} cannot be ${verb}${code === undefined ? '' : ` (${code})`}`
    throw new DroverError({ code: 'WRITE_FAILED', message, hint: 'choose another folder' }, { cause: error })
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function describeForeign(file: string, migrations: string): Problem {
  return {
    code: 'EXPORT_REFUSED',
    message: `${file} is there already, and was not exported from ${migrations}: a runner would take it for one of its revisions`,
    hint: 'choose another folder, or move the file away',
  }
}
