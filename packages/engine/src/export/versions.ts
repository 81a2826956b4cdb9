import { posix } from 'node:path'

import type { Revision } from '@drover/history'

/**
 * Versions for revisions in the order in which they run: for each as many as it takes. Runners sort by version, and may not know of
 * any other order. So a revision has the time at which it was made, as its folder begins with it (`YYYYMMDDHHMMSS`), or else its
 * `created`; where that is not later than the version before, it has the second after that one. The same history gives the same
 * versions, and a revision that comes behind all others changes none.
 */
export function assignVersions(
  revisions: readonly (Pick<Revision, 'folder' | 'created'> & { readonly count: number })[],
): readonly (readonly string[])[] {
  let last = Number.NEGATIVE_INFINITY
  return revisions.map(({ folder, created, count }) => {
    const time = timeOfFolder(folder) ?? Date.parse(created)
    return Array.from({ length: count }, () => {
      last = Math.max(Math.floor(time / 1000) * 1000, last + 1000)
      return digitsOf(last)
    })
  })
}

/** What a revision does, from the name of its folder, as all runners and file systems take it; its id where that says nothing. */
export function nameOf({ folder, id }: Pick<Revision, 'folder' | 'id'>): string {
  const name = posix
    .basename(folder)
    .toLowerCase()
    .replace(/^\d+(?:_|$)/, '')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '')
    .slice(0, mostLetters)
  return name === '' ? id : name
}

// File names end at 255 bytes, and there is more in them.
const mostLetters = 100

function timeOfFolder(folder: string): number | undefined {
  const digits = /^(\d{14})(?:_|$)/.exec(posix.basename(folder))?.[1]
  if (digits === undefined) return undefined
  const time = Date.parse(digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'))
  // What is no time of a calendar may be any number.
  return !Number.isNaN(time) && digitsOf(time) === digits ? time : undefined
}

function digitsOf(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')
}
