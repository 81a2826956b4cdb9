import { type ChangeCases, table } from '../change-case.ts'

const long = 'a_name_that_goes_on_and_on_until_it_is_longer_than_what_is_allowed'

/** Names that need care. */
export const names: ChangeCases = {
  kind: 'names',
  cases: [
    {
      name: 'upper case',
      before: table(),
      after:
        "export const t = pgTable('t', { id: integer().primaryKey(), Name: text('FullName') }); export const u = pgTable('Users', { Id: integer('Id').primaryKey() })",
      expect: 'right',
    },
    {
      name: 'reserved words',
      before: "export const t = pgTable('order', { select: integer() })",
      after:
        "export const t = pgTable('order', { select: integer(), from: text(), user: text().default('x') }, (t) => [index('table').on(t.from)])",
      expect: 'right',
    },
    {
      name: 'blanks and dots',
      before: "export const t = pgTable('my table', { 'a.b': integer() })",
      after:
        "export const t = pgTable('my table', { 'a.b': integer(), 'c d': text() }, (t) => [index('by c.d').on(t['c d'])])",
      expect: 'right',
    },
    {
      name: 'rename what has dots in its name',
      before: "export const t = pgTable('my.table', { 'a.b': integer() })",
      after: "export const t = pgTable('my.table', { 'a.c': integer() })",
      renames: ['"my.table"."a.b"="my.table"."a.c"'],
      expect: 'right',
    },
    {
      name: 'letters beyond ASCII',
      before: table(),
      after: table("größe: integer('größe').default(1)", "check('prüfung', sql`größe > 0`)"),
      expect: 'right',
    },
    {
      name: 'a single quote',
      before: table(),
      after: `export const t = pgTable('t', { id: integer().primaryKey(), a: text("it's") })`,
      expect: 'right',
    },
    {
      name: 'a column with a double quote',
      before: table(),
      after: `export const t = pgTable('t', { id: integer().primaryKey(), a: text('say "hi"') })`,
      expect: 'refused',
    },
    {
      name: 'a table whose name is too long',
      before: table(),
      after: `${table()}; export const u = pgTable('${long}', { id: integer() })`,
      expect: 'refused',
    },
    { name: 'a column whose name is too long', before: table(), after: table(`${long}: text()`), expect: 'refused' },
    {
      name: 'a foreign key that gets a long name by itself',
      before: "export const t = pgTable('a_table_with_quite_a_long_name_in_it', { id: integer().primaryKey() })",
      after:
        "export const t = pgTable('a_table_with_quite_a_long_name_in_it', { id: integer().primaryKey(), some_reference: integer().references(() => t.id) })",
      expect: 'right',
    },
    {
      name: 'an index that gets a long name by itself',
      before:
        "export const t = pgTable('a_table_with_quite_a_long_name_in_it', { first_column: text(), second_column: text() })",
      after:
        "export const t = pgTable('a_table_with_quite_a_long_name_in_it', { first_column: text(), second_column: text() }, (t) => [index().on(t.first_column, t.second_column)])",
      expect: 'refused',
    },
  ],
}
