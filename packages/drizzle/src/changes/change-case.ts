/**
 * What comes of a change: drizzle-kit's revision, one with a side that another way had to correct, one that works on empty
 * tables and waits for somebody who knows the rows, or a clear no.
 */
export type Outcome = 'right' | 'fell back' | 'needs data' | 'refused'

/** A change of a Drizzle schema. */
export interface ChangeCase {
  /** What changes, in words. Unique. */
  readonly name: string
  /** TypeScript of the schema before, without its imports. */
  readonly before: string
  readonly after: string
  /** Values of `--rename`. What is not named is new. */
  readonly renames?: readonly string[]
  /** Objects declared beside the schema before, by file. */
  readonly objectsBefore?: Readonly<Record<string, string>>
  readonly objectsAfter?: Readonly<Record<string, string>>
  readonly expect: Outcome
}

/** Cases about one kind of thing. */
export interface ChangeCases {
  readonly kind: string
  readonly cases: readonly ChangeCase[]
}

/** A table `t` with a key and some more columns, and what its third argument lists about `t`. */
export function table(columns = '', extras = ''): string {
  const list = extras === '' ? '' : `, (t) => [${extras}]`
  return `export const t = pgTable('t', { id: integer().primaryKey(), ${columns} }${list})`
}
