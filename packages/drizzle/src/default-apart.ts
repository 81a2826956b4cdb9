import { findColumn } from './find-column.ts'
import type { SchemaState } from './kit/state.ts'

/**
 * Takes the default of a column away before its type changes, and gives it the one of the later state afterwards. PostgreSQL
 * converts a default together with the column and refuses when there is no cast for that (42804), although a new default follows.
 * @param statements of drizzle-kit
 * @param after the state that they lead to
 * @returns the statements as they are when no type changes
 */
export function setDefaultsApart(statements: readonly string[], after: SchemaState): readonly string[] {
  return statements.flatMap((statement, index) => {
    const match = typeChange.exec(statement)
    if (!match) return [statement]
    const { table = '', name = '' } = match.groups ?? {}
    const own = `ALTER TABLE ${table} ALTER COLUMN ${name}`
    const value = findColumn(after, table, name)?.['default']
    const isSetLater = statements.slice(index).some((later) => later.startsWith(`${own} SET DEFAULT `))
    return [
      `${own} DROP DEFAULT`,
      statement,
      ...(typeof value === 'string' && !isSetLater ? [`${own} SET DEFAULT ${value}`] : []),
    ]
  })
}

const typeChange = /^ALTER TABLE (?<table>\S+) ALTER COLUMN (?<name>"[^"]+") SET DATA TYPE /
