import { type ChangeCases, table } from '../change-case.ts'

const pair = (extras: string) =>
  `export const t = pgTable('t', { a: integer().notNull(), b: integer().notNull(), c: integer().notNull() }, (t) => [${extras}])`

/** Checks, uniques and primary keys. */
export const constraints: ChangeCases = {
  kind: 'constraints',
  cases: [
    {
      name: 'add a check',
      before: table('a: integer()'),
      after: table('a: integer()', "check('c', sql`a is null or a is not null`)"),
      expect: 'right',
    },
    {
      name: 'add a check that rows may break',
      before: table('a: integer()'),
      after: table('a: integer()', "check('c', sql`a = 12345`)"),
      expect: 'needs data',
    },
    {
      name: 'drop a check',
      before: table('a: integer()', "check('c', sql`a is null or a < 2000000000`)"),
      after: table('a: integer()'),
      expect: 'right',
    },
    {
      name: 'change a check',
      before: table('a: integer()', "check('c', sql`id > -5`)"),
      after: table('a: integer()', "check('c', sql`id > -6`)"),
      expect: 'right',
    },
    {
      name: 'rename a check',
      before: table('a: integer()', "check('c', sql`id > -5`)"),
      after: table('a: integer()', "check('d', sql`id > -5`)"),
      expect: 'right',
    },
    {
      name: 'rename and change a check',
      before: table('a: integer()', "check('c', sql`id > -5`)"),
      after: table('a: integer()', "check('d', sql`id > -6`)"),
      renames: ['t.c=t.d'],
      expect: 'right',
    },
    {
      name: 'a check that names the column',
      before: table('a: integer()'),
      after: table('a: integer()', 'check("c", sql`${t.a} is null or ${t.id} is not null`)'),
      expect: 'right',
    },
    {
      name: 'a check with a text in it',
      before: table('a: text()'),
      after: table('a: text()', `check('c', sql\`a is null or a not like '%;"''%x%'\`)`),
      expect: 'right',
    },
    {
      name: 'add a unique to a column',
      before: table('a: integer()'),
      after: table('a: integer().unique()'),
      expect: 'needs data',
    },
    {
      name: 'add a unique on the key and a column',
      before: table('a: integer()'),
      after: table('a: integer()', 'unique().on(t.id, t.a)'),
      expect: 'right',
    },
    { name: 'drop a unique', before: table('a: integer().unique()'), after: table('a: integer()'), expect: 'right' },
    {
      name: 'drop a composite unique',
      before: table('a: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer()'),
      expect: 'right',
    },
    {
      name: 'change the columns of a unique',
      before: table('a: integer(), b: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer(), b: integer()', "unique('u').on(t.id, t.b)"),
      expect: 'right',
    },
    {
      name: 'let a unique take nulls for the same',
      before: table('a: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer()', "unique('u').on(t.id, t.a).nullsNotDistinct()"),
      expect: 'right',
    },
    {
      name: 'rename a unique',
      before: table('a: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer()', "unique('v').on(t.id, t.a)"),
      expect: 'right',
    },
    {
      name: 'give an unnamed unique a name',
      before: table('a: integer()', 'unique().on(t.id, t.a)'),
      after: table('a: integer()', "unique('u').on(t.id, t.a)"),
      expect: 'right',
    },
    {
      name: 'take its name from a unique',
      before: table('a: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer()', 'unique().on(t.id, t.a)'),
      expect: 'right',
    },
    {
      name: 'a unique constraint to a unique index',
      before: table('a: integer()', "unique('u').on(t.id, t.a)"),
      after: table('a: integer()', "uniqueIndex('u').on(t.id, t.a)"),
      expect: 'right',
    },
    {
      name: 'a unique index to a unique constraint',
      before: table('a: integer()', "uniqueIndex('u').on(t.id, t.a)"),
      after: table('a: integer()', "unique('u').on(t.id, t.a)"),
      expect: 'right',
    },
    {
      name: 'add a primary key',
      before: "export const t = pgTable('t', { a: integer().notNull().unique() })",
      after: "export const t = pgTable('t', { a: integer().notNull().unique().primaryKey() })",
      expect: 'fell back',
    },
    {
      name: 'add a primary key over what may be null or not unique',
      before: "export const t = pgTable('t', { a: integer() })",
      after: "export const t = pgTable('t', { a: integer().primaryKey() })",
      expect: 'needs data',
    },
    {
      name: 'drop a primary key',
      before: "export const t = pgTable('t', { a: integer().primaryKey() })",
      after: "export const t = pgTable('t', { a: integer().notNull() })",
      expect: 'right',
    },
    {
      name: 'add a composite primary key',
      before: pair("unique('u').on(t.a, t.b)"),
      after: pair("unique('u').on(t.a, t.b), primaryKey({ columns: [t.a, t.b] })"),
      expect: 'fell back',
    },
    {
      name: 'change the columns of a primary key',
      before: pair('primaryKey({ columns: [t.a, t.b] }), unique().on(t.a, t.c)'),
      after: pair('primaryKey({ columns: [t.a, t.c] }), unique().on(t.a, t.b)'),
      expect: 'right',
    },
    {
      name: 'a simple primary key to a composite one',
      before: "export const t = pgTable('t', { a: integer().primaryKey(), b: integer().notNull() })",
      after:
        "export const t = pgTable('t', { a: integer(), b: integer().notNull() }, (t) => [primaryKey({ columns: [t.a, t.b] })])",
      expect: 'right',
    },
    {
      name: 'rename a primary key',
      before: pair("primaryKey({ name: 'p', columns: [t.a, t.b] })"),
      after: pair("primaryKey({ name: 'q', columns: [t.a, t.b] })"),
      expect: 'right',
    },
    {
      name: 'move the primary key to another column',
      before: "export const t = pgTable('t', { a: integer().primaryKey(), b: integer().notNull().unique() })",
      after: "export const t = pgTable('t', { a: integer().notNull().unique(), b: integer().primaryKey() })",
      expect: 'right',
    },
  ],
}
