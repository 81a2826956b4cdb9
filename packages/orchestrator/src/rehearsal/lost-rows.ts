/** Rows of a table that an upgrade and a downgrade have not brought back. */
export interface LostRows {
  /** With its schema. */
  readonly table: string
  readonly before: number
  readonly after: number
  /** The statement that says so, on one line. Missing where none does. */
  readonly declared?: string
}

/**
 * What is missing of the rows of tables that are there before and after. Tables that are gone are a difference of the schema.
 * @param statements that take data away for good, each on one line; one that names the table declares its loss
 */
export function findLostRows(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  statements: readonly string[],
): readonly LostRows[] {
  return [...before].flatMap(([table, rows]) => {
    const left = after.get(table)
    if (left === undefined || left >= rows) return []
    const declared = statements.find((statement) => namesTable(statement, table))
    return [{ table, before: rows, after: left, ...(declared !== undefined && { declared }) }]
  })
}

/** Whether a statement has the name of a table in it, with or without its schema, quoted or not. */
function namesTable(statement: string, table: string): boolean {
  const name = /(?:^|\.)("(?:[^"]|"")*"|[^".]+)$/.exec(table)?.[1] ?? table
  const bare = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
  return new RegExp(String.raw`(?<![\w$])${RegExp.escape(bare)}(?![\w$])`, 'iu').test(statement)
}
