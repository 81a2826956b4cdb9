import {
  type ExportedRevision,
  type ExportFormat,
  exportHistory,
  type ExportOptions,
  findExportProblems,
  type Script,
  splitStatements,
} from '@drover/engine'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { filledIn, readMigrations, type Runner } from './harness/runners.ts'

/** Statements that somebody may take for several, or for comments, or for something of their own. */
const statement = fc.constantFrom(
  'create table a (b int)',
  `insert into a values (1, ';'), (2, '--'), (3, '''')`,
  `insert into a values ('\n;\n-- up;\n')`,
  `comment on table a is 'ends with -- '`,
  'create table "a;b" ("--" int, "/*" text)',
  'create function f() returns int language sql begin atomic select case when true then 1 else 2 end; select 3; end',
  'create function g(a int) returns int language plpgsql as $$ begin\n  -- no;\n  return a; end $$',
  `do $x$ begin perform $$;$$; execute 'select $y$;$y$'; end $x$`,
  String.raw`select 'a\', E'b\\'`,
  String.raw`select E'it\'s; so', 5`,
  'create function h(int) returns int language sql begin atomic select $1; select $1 + 1; end',
  'select /* a /* b; */ c; */ 4',
  'select 1\n-- inside;\n+ 1',
  'select /* ; */ 2',
  `select '\${NAME} $HOME {{name}}'`,
  'create index concurrently i on a (b)',
)
const blank = fc.constantFrom(
  ' ',
  '\n',
  '\n\n',
  '\n  \n',
  '\n-- One; --\n',
  ' -- behind it\n',
  '\n  -- further in\n',
  '\n/* all; of\n   it */\n',
)
const script = fc
  .tuple(fc.array(fc.tuple(blank, statement), { maxLength: 6 }), blank, fc.boolean())
  .map(([parts, end, isClosed]) => {
    const sql = parts.map(([before, text]) => `${before}${text}`).join(';')
    return `${sql}${isClosed ? ';' : ''}${end}`
  })
const source = fc.record({
  up: script,
  down: script,
  transaction: fc.constantFrom(undefined, 'none' as const, 'own' as const),
})
const schemas = [undefined, { open: true }, { open: false }] as const

describe.each(['goose', 'golang-migrate', 'flyway', 'dbmate'] as const)('what %s sends', (runner) => {
  test.each(schemas)('is the statements of the revisions, in their order, with schema %j', (schema) => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 5 }), (sources) => {
        const revisions = sources.map((one, at) => revisionOf(at, one))
        const exportable = revisions.filter((one) => findExportProblems([one], optionsOf(runner, schema)).length === 0)

        const read = readMigrations(runner, exportFor(exportable, runner, schema))

        expect(flat(read.map(({ up }) => up.messages))).toEqual(expected(exportable, 'up', schema))
        expect(flat(read.toReversed().map(({ down }) => down!.messages))).toEqual(
          expected(exportable.toReversed(), 'down', schema),
        )
      }),
    )
  })

  test('has a transaction where a revision has one, and is one statement a message where it has none', () => {
    fc.assert(
      fc.property(source, (one) => {
        const revision = revisionOf(0, one)
        fc.pre(findExportProblems([revision], optionsOf(runner, undefined)).length === 0)

        const read = readMigrations(runner, exportFor([revision], runner, undefined))

        for (const { up, down } of read) {
          for (const side of [up, down!]) {
            // A message is a transaction of its own.
            if (runner !== 'golang-migrate') expect(side.inTransaction).toBe(one.transaction === undefined)
            if (one.transaction !== 'none') continue
            for (const message of side.messages) expect(splitStatements(message).length).toBeLessThanOrEqual(1)
          }
        }
        if (one.transaction === undefined && runner === 'golang-migrate') expect(read).toHaveLength(1)
      }),
    )
  })
})

test('a plain script holds the statements of its revision', () => {
  fc.assert(
    fc.property(source, (one) => {
      const revision = revisionOf(0, one)
      fc.pre(findExportProblems([revision], optionsOf('sql', undefined)).length === 0)
      const files = exportFor([revision], 'sql', undefined)

      for (const direction of ['up', 'down'] as const) {
        const [text] = [...files].filter(([name]) => name.endsWith(`.${direction}.sql`)).map(([, found]) => found)
        expect(textsOf(text!)).toEqual(expected([revision], direction, undefined))
      }
    }),
  )
})

type Schema = (typeof schemas)[number]

function optionsOf(format: ExportFormat, schema: Schema): ExportOptions {
  return { format, migrations: 'm', ...(schema && { schema: schema.open ? {} : { name: filledIn } }) }
}

function exportFor(
  revisions: readonly ExportedRevision[],
  format: Runner | 'sql',
  schema: Schema,
): ReadonlyMap<string, string> {
  const files = exportHistory(revisions, optionsOf(format, schema))
  // What a template step does; the placeholders of goose and Flyway are filled in where they are read.
  return new Map(files.map(({ name, text }) => [name, text.replaceAll('{{schema}}', filledIn)]))
}

function revisionOf(
  at: number,
  { up, down, transaction }: { up: string; down: string; transaction: 'none' | 'own' | undefined },
): ExportedRevision {
  const revision = {
    id: String(at).padStart(12, '0'),
    parents: [],
    dependsOn: [],
    labels: [],
    message: 'try it',
    created: '2026-11-20T10:00:00Z',
    folder: `m/20261120100000_r${at}`,
    reversible: true,
    ...(transaction && { transaction }),
  }
  const scriptOf = (sql: string, direction: 'up' | 'down'): Script => ({
    revision,
    direction,
    file: `${revision.folder}/${direction}.sql`,
    sql,
    statements: splitStatements(sql),
    checksum: '',
  })
  return { revision, up: scriptOf(up, 'up'), down: scriptOf(down, 'down') }
}

/** What has to arrive: the statements, between those that set the schema. */
function expected(revisions: readonly ExportedRevision[], direction: 'up' | 'down', schema: Schema): readonly string[] {
  return revisions.flatMap((one) => {
    const texts = one[direction]!.statements.map(({ text }) => text)
    if (!schema) return texts
    const isLocal = one.revision.transaction === undefined
    const set = `set ${isLocal ? 'local ' : ''}search_path to "${filledIn}"`
    return [set, ...texts, isLocal ? 'set local search_path to default' : 'reset search_path']
  })
}

function flat(messages: readonly (readonly string[])[]): readonly string[] {
  return messages.flat().flatMap(textsOf)
}

function textsOf(message: string): readonly string[] {
  return splitStatements(message).map(({ text }) => text)
}
