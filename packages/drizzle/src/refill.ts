import { quoteLiteral } from '@drover/engine'

import { findColumn } from './find-column.ts'
import type { SchemaEntity, SchemaState } from './kit/state.ts'

/**
 * Lets statements that bring a column back which must not be null do so in tables with rows: those rows get an empty value
 * (0, '', false, …), because what stood there is gone. Drizzle-kit's own statement can only run in an empty table.
 * @param statements of drizzle-kit
 * @param after the state that they lead to
 * @returns the statements, and one remark for each column that is filled; none when there is nothing to fill
 */
export function refillColumns(
  statements: readonly string[],
  after: SchemaState,
): { readonly statements: readonly string[]; readonly remarks: readonly string[] } {
  const remarks: string[] = []
  const filled = statements.flatMap((statement) => {
    const match = addColumn.exec(statement)
    const column = match && findColumn(after, match.groups!['table']!, match.groups!['name']!)
    const value = column && emptyValueOf(column, after)
    if (!match || value === undefined || / DEFAULT | GENERATED | serial /i.test(match.groups!['type']!)) {
      return [statement]
    }
    const { table, name } = match.groups!
    remarks.push(`Rows that are there get ${value} in ${name}: what it held is gone.`)
    return [`${statement} DEFAULT ${value}`, `ALTER TABLE ${table} ALTER COLUMN ${name} DROP DEFAULT`]
  })
  return { statements: filled, remarks }
}

const addColumn = /^ALTER TABLE (?<table>\S+) ADD COLUMN (?<name>"[^"]+") (?<type>.+ NOT NULL)$/

/** A value of a column's type that says least; `undefined` where there is none that is sure to fit. */
function emptyValueOf(column: SchemaEntity, state: SchemaState): string | undefined {
  if (Number(column['dimensions'] ?? 0) > 0) return "'{}'"
  const type = String(column['type'])
  const values = state.ddl.find(
    (entity) => entity.entityType === 'enums' && entity.name === type && entity.schema === column['typeSchema'],
  )?.['values']
  if (Array.isArray(values)) return typeof values[0] === 'string' ? quoteLiteral(values[0]) : undefined
  return emptyValues.find(([pattern]) => pattern.test(type))?.[1]
}

const emptyValues: readonly (readonly [RegExp, string])[] = [
  [/^(?:smallint|integer|bigint|numeric|real|double precision|money)\b/, '0'],
  [/^(?:text|varchar|character varying|char|character|citext|bytea)\b/, "''"],
  [/^boolean\b/, 'false'],
  [/^jsonb?\b/, "'{}'"],
  [/^uuid\b/, "'00000000-0000-0000-0000-000000000000'"],
  [/^(?:date|timestamp)\b/, "'epoch'"],
  [/^time\b/, "'00:00'"],
  [/^interval\b/, "'0'"],
]
