import * as fc from 'fast-check'
import { expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { buildIn } from './example-schemas.ts'
import { compareCatalogs } from './compare-catalogs.ts'
import { readSchemaCatalog } from './schema-catalog.ts'
import { fingerprintSchemas } from './tenant-fingerprints.ts'

interface Column {
  readonly name: string
  readonly type: 'integer' | 'text' | 'regclass'
  readonly text: string
  readonly isRequired: boolean
  readonly hasDefault: boolean
  readonly isChecked: boolean
  readonly isIndexed: boolean
}

interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  readonly parent: boolean
  readonly view: boolean
  readonly function: boolean
}

// Names, texts and schemas are made of the same words, so that each is easily taken for another.
const word = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a.b',
  'a-b',
  '"a"',
  "a'b",
  'A',
  String.raw`a\b`,
  '<schema>',
  'público',
  'public',
)
const someColumn: fc.Arbitrary<Column> = fc.record({
  name: word,
  type: fc.constantFrom('integer', 'text', 'regclass'),
  text: fc
    .tuple(word, word, fc.constantFrom('.', '"."', ' '))
    .map(([schema, name, between]) => `${schema}${between}${name}`),
  isRequired: fc.boolean(),
  hasDefault: fc.boolean(),
  isChecked: fc.boolean(),
  isIndexed: fc.boolean(),
})
const tables: fc.Arbitrary<readonly Table[]> = fc.uniqueArray(
  fc.record({
    name: word,
    columns: fc.uniqueArray(someColumn, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }),
    parent: fc.boolean(),
    view: fc.boolean(),
    function: fc.boolean(),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
)
const names = fc.uniqueArray(word, { minLength: 2, maxLength: 2 })

it('gives equal hashes to what was built alike under two names, and different ones after a change', async () => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  const check = async (
    [one, other]: readonly string[],
    history: readonly Table[],
    pick: (changes: readonly string[]) => string,
  ) => {
    const both = [one!, other!]
    await connection.send(both.map((name) => `drop schema if exists ${quoteIdentifier(name)} cascade`).join(';'))
    for (const name of both) await buildIn(connection, name, writeTables(history))
    const before = await fingerprintSchemas(connection, both)
    const [left, right] = [
      await readSchemaCatalog(connection, one!, 'x'),
      await readSchemaCatalog(connection, other!, 'x'),
    ]

    await buildIn(connection, other!, pick(changesOf(history)))

    const after = await fingerprintSchemas(connection, both)
    expect(before.get(other!)).toBe(before.get(one!))
    expect(right).toEqual(left)
    expect(after.get(one!)).toBe(before.get(one!))
    expect(after.get(other!)).not.toBe(before.get(other!))
    expect(compareCatalogs(left, await readSchemaCatalog(connection, other!, 'x'))).not.toEqual([])
  }

  await fc.assert(
    fc.asyncProperty(names, tables, fc.nat(), (both, history, seed) =>
      check(both, history, (changes) => changes[seed % changes.length]!),
    ),
    { numRuns: 60 },
  )
})

function writeTables(history: readonly Table[]): string {
  return history
    .map((table, index) => {
      const name = quoteIdentifier(table.name)
      const columns = table.columns.map(writeColumn)
      const [first] = table.columns
      return [
        `create table ${name} (${columns.join(', ')}, id integer primary key)`,
        table.parent && index > 0
          ? `alter table ${name} add parent integer references ${quoteIdentifier(history[0]!.name)}`
          : '',
        // Only now there is a table to name.
        ...table.columns
          .filter(({ type, hasDefault }) => type === 'regclass' && hasDefault)
          .map(
            (one) =>
              `alter table ${name} alter ${quoteIdentifier(one.name)} set default ${quoteLiteral(name)}::regclass`,
          ),
        ...table.columns
          .filter(({ isIndexed }) => isIndexed)
          .map(
            (one) =>
              `create index on ${name} (${quoteIdentifier(one.name)}) where id::text <> ${quoteLiteral(one.text)}`,
          ),
        table.function
          ? `create function ${quoteIdentifier(`f ${table.name}`)}(r ${name}) returns text begin atomic select ${quoteLiteral(first!.text)} || count(*) from ${name}; end`
          : '',
        // An alias of the same name as the table, and maybe as the schema.
        table.view
          ? `create view ${quoteIdentifier(`v ${table.name}`)} as select ${name}.id, other.id as id2, ${quoteLiteral(first!.text)} as text from ${name} join ${name} as other on other.id = ${name}.id`
          : '',
      ]
        .filter((statement) => statement !== '')
        .join(';\n')
    })
    .join(';\n')
}

function writeColumn({ name, type, text, ...rest }: Column): string {
  const column = quoteIdentifier(name)
  const value = { integer: text.length, text: quoteLiteral(text) }
  return [
    column,
    type,
    rest.isRequired ? 'not null' : '',
    rest.hasDefault && type !== 'regclass' ? `default ${value[type]}` : '',
    rest.isChecked ? `check (${column}::text <> ${quoteLiteral(text)})` : '',
  ].join(' ')
}

/** Statements of which each leaves something different. */
function changesOf(history: readonly Table[]): readonly string[] {
  return history.flatMap((table) => {
    const name = quoteIdentifier(table.name)
    return [
      `create table "one more" ()`,
      `alter table ${name} add "one more" integer`,
      `comment on table ${name} is ${quoteLiteral(table.columns[0]!.text)}`,
      `alter table ${name} add constraint "one more" check (id > 0)`,
      `create index "one more" on ${name} (id)`,
      `create view "one more" as select id from ${name}`,
      `create function "one more"() returns integer language sql as 'select 1'`,
      `grant select on ${name} to public`,
      ...table.columns.flatMap((one) => {
        const column = quoteIdentifier(one.name)
        return [
          one.isRequired
            ? `alter table ${name} alter ${column} drop not null`
            : `alter table ${name} alter ${column} set not null`,
          `alter table ${name} rename ${column} to "one more"`,
          ...(one.type === 'text'
            ? [`alter table ${name} alter ${column} set default ${quoteLiteral(`${one.text}!`)}`]
            : []),
          ...(one.type === 'regclass' && !one.hasDefault
            ? [`alter table ${name} alter ${column} set default ${quoteLiteral(name)}::regclass`]
            : []),
        ]
      }),
    ]
  })
}
