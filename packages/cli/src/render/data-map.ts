import { quoteIdentifier, quoteLiteral } from '@drover/engine'
import type { DataMap } from '@drover/orchestrator'

type Column = DataMap['columns'][number]

/** A data map as Markdown: a table for each table of the database, its columns in the order of the declaration. */
export function describeDataMap(database: string, map: DataMap): string {
  return [`# Data map of ${database}`, ...byTable(map).map(([table, columns]) => describeTable(table, columns))].join(
    '\n\n',
  )
}

/** A data map for programs. */
export function dataMapJson(name: string, map: DataMap | undefined): Readonly<Record<string, unknown>> {
  return {
    name,
    file: map?.file ?? null,
    columns: (map?.columns ?? []).map(({ table, column, personal, category, purpose, legalBasis, retention }) => ({
      table,
      column,
      personal,
      category: category ?? null,
      purpose,
      legalBasis: legalBasis ?? null,
      retention,
    })),
  }
}

/** A data map as comments on the columns, for a file among the declared objects. */
export function commentsOf(map: DataMap): string {
  return map.columns
    .map((column) => `comment on column ${nameOf(column)} is\n  ${quoteLiteral(commentOf(column))};`)
    .join('\n')
}

function describeTable(table: string, columns: readonly Column[]): string {
  const rows = columns.map((column) => [
    `\`${column.column}\``,
    ...[column.category ?? '', column.purpose, basisOf(column) ?? '', column.retention].map(escape),
  ])
  return [
    `## ${table}`,
    '',
    '| column | personal data | purpose | legal basis | kept |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((cells) => ['', ...cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)), ''].join('|')),
  ].join('\n')
}

function byTable({ columns }: DataMap): readonly (readonly [string, readonly Column[]])[] {
  return [...Map.groupBy(columns, ({ table }) => table)]
}

function commentOf(column: Column): string {
  const basis = basisOf(column)
  return [
    column.purpose,
    ...(column.category === undefined ? [] : [`Personal data: ${column.category}`]),
    ...(basis === undefined ? [] : [`Basis: ${basis}`]),
    `Kept ${column.retention}`,
  ]
    .map((sentence) => `${sentence}.`)
    .join(' ')
}

function basisOf({ legalBasis }: Column): string | undefined {
  return legalBasis && `${legalBasis.replaceAll('_', ' ')}, Article 6(1)(${letters[legalBasis]})`
}

const letters: Readonly<Record<NonNullable<Column['legalBasis']>, string>> = {
  consent: 'a',
  contract: 'b',
  legal_obligation: 'c',
  vital_interests: 'd',
  public_task: 'e',
  legitimate_interests: 'f',
}

function nameOf({ table, column }: Column): string {
  return [...table.split('.'), column].map(quoteIdentifier).join('.')
}

/** Text in a cell of a table, which it neither ends nor formats. */
function escape(text: string): string {
  return text.replaceAll(/[\\|*_[\]<~]/g, (character) => `\\${character}`)
}
