import { hash } from 'node:crypto'
import { type Stats, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

import { listEntries, partLength, type Source } from './read-revisions.ts'

/** What the file system says of the files that a history is read from. */
export interface FilesStamp {
  /** A digest of the names of whatever lies among the revisions. */
  readonly names: string
  /** A digest of the places of the files on the disk, their sizes and times. */
  readonly files: string
  /** When any of them was changed last, in milliseconds since 1970; 0 where there are none. */
  readonly changedAt: number
}

/** What a revision as Drover makes it is read from. */
const plain = ['revision.json', 'migration.sql']

/** What any other may be read from besides; an empty name is its folder, which changes with what lies in it. */
const others = ['', 'migration.ts', 'snapshot.json', 'down.sql']

/**
 * Looks at all files whose content `readHistory`, or the checksums that it brings, depend on, and opens none of them. While both
 * digests are the same, so is what they bring: whatever is written to a file, or put in its place, gives it another `ctime`, which
 * no program can set (POSIX.1-2024, XBD 4.12). The one exception are changes within the resolution of that time, after a
 * file was looked at; whoever relies on the digests has to see to it that `changedAt` was past by more than that.
 * @param before where the names are not those of this stamp any more, the files are not looked at, and there is no other. Default: they are
 * @throws {DroverError} `REVISION_INVALID` when the folder cannot be listed
 */
export async function stampFiles(source: Source): Promise<FilesStamp>
export async function stampFiles(source: Source, before: Pick<FilesStamp, 'names'>): Promise<FilesStamp | undefined>
export async function stampFiles(source: Source, before?: Pick<FilesStamp, 'names'>): Promise<FilesStamp | undefined> {
  const entries = listEntries(source)
  const names = hash('sha256', entries.join('/'))
  if (before && names !== before.names) return undefined
  const facts = new Float64Array(entries.length * (plain.length + others.length) * 5)
  let at = 0
  let changedAt = 0
  const look = (path: string): boolean => {
    const stats = statIfThere(path)
    facts[at++] = stats?.dev ?? 0
    facts[at++] = stats?.ino ?? 0
    facts[at++] = stats?.size ?? 0
    facts[at++] = stats?.mtimeMs ?? 0
    facts[at++] = stats?.ctimeMs ?? 0
    if (stats && stats.ctimeMs > changedAt) changedAt = stats.ctimeMs
    return stats !== undefined
  }
  for (const [index, name] of entries.entries()) {
    // A connection that is being opened gets on with that meanwhile.
    if (index % partLength === 0) await setImmediate()
    const folder = `${source.root}/${source.folder}/${name}/`
    let isPlain = true
    for (const file of plain) isPlain = look(folder + file) && isPlain
    if (!isPlain) for (const file of others) look(folder + file)
  }
  return { names, files: hash('sha256', facts.subarray(0, at)), changedAt }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // It lies below a file, or nobody may look: reading it says so.
    return undefined
  }
}
