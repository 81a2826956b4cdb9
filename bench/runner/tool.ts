import type { BenchRevision } from './revisions.ts'

/** Something that runs migrations. Its lines of shell are run in its folder. */
export interface Tool {
  readonly name: string
  /** A floor is no tool of anybody's: it shows what the work itself costs. */
  readonly kind: 'floor' | 'drover' | 'node' | 'binary'
  /** Writes the same history for each of some databases, in the tool's own format. */
  write(folder: string, databases: readonly string[], revisions: readonly BenchRevision[]): void
  /** Applies everything that is not applied to the databases, in the way in which its users do. */
  up(places: readonly Place[]): string
  /** When there is nothing to apply. By default the same as `up`. */
  readonly nothing?: (places: readonly Place[]) => string
  /** Reverts all revisions. Missing where a tool has no way back. */
  readonly down?: (places: readonly Place[], revisions: number) => string
  /** The cheapest thing that shows that it is there; for a library, loading what migrating needs. */
  readonly startUp: string
  /** SQL that removes what the tool keeps in a database for itself, so that schemas can be compared. */
  readonly forget: string
}

/** A database that a tool acts on. */
export interface Place {
  readonly name: string
  readonly url: string
}

/** A word for bash. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** One line for each place, one after the other. */
export function inTurns(lineOf: (place: Place) => string): (places: readonly Place[]) => string {
  return (places) => places.map(lineOf).join(' && ')
}
