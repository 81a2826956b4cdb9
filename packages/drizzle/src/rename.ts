/** A table, column or schema that gets another name: `[schema, table]`, `[schema, table, column]` or `[schema]`. */
export interface Rename {
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** The same for the way back. */
export function reverseRenames(renames: readonly Rename[]): readonly Rename[] {
  return renames.map(({ from, to }) => ({ from: to, to: from }))
}
