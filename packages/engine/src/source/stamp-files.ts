import { hash } from 'node:crypto'
import { type Stats, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

import { listEntries, partLength, type Source } from './read-revisions.ts'

/** What the file system says of the files that a history is read from. */
export interface FilesStamp {
  /** Of their names, places on the disk, sizes and times. */
  readonly digest: string
  /** When any of them was changed last, in milliseconds since 1970; 0 where there are none. */
  readonly changedAt: number
}

/** What a revision as Drover makes it is read from. */
const plain = ['revision.json', 'migration.sql']

/** What any other may be read from besides; an empty name is its folder, which changes with what lies in it. */
const others = ['', 'migration.ts', 'snapshot.json', 'down.sql']

/**
 * Looks at all files whose content `readHistory`, or the checksums that it brings, depend on, and opens none of them. While a
 * digest is the same, so is what they bring: whatever is written to a file, or put in its place, gives it another `ctime`, which
 * no program can set (POSIX.1-2024, XBD 4.12). The one exception are changes within the resolution of that time, after a
 * file was looked at; whoever relies on a digest has to see to it that `changedAt` was past by more than that.
 * @throws {DroverError} `REVISION_INVALID` when the folder cannot be listed
 */
export async function stampFiles(source: Source): Promise<FilesStamp> {
  const names = listEntries(source)
  const facts = new Float64Array(names.length * (plain.length + others.length) * 5)
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
  for (const [index, name] of names.entries()) {
    // A connection that is being opened gets on with that meanwhile.
    if (index % partLength === 0) await setImmediate()
    const folder = `${source.root}/${source.folder}/${name}/`
    let isPlain = true
    for (const file of plain) isPlain = look(folder + file) && isPlain
    if (!isPlain) for (const file of others) look(folder + file)
  }
  const digest = hash('sha256', `${hash('sha256', facts.subarray(0, at))}/${names.join('/')}`)
  return { digest, changedAt }
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // It lies below a file, or nobody may look: reading it says so.
    return undefined
  }
}
