import { type ChangeCases, table } from '../change-case.ts'

/** Tables as a whole. */
export const tables: ChangeCases = {
  kind: 'tables',
  cases: [
    { name: 'create a table in an empty database', before: '', after: table('name: text()'), expect: 'right' },
    {
      name: 'create a second table',
      before: table(),
      after: `${table()}; export const u = pgTable('u', { id: integer(), at: timestamp().defaultNow() })`,
      expect: 'right',
    },
    { name: 'drop the only table', before: table('name: text()'), after: '', expect: 'right' },
    {
      name: 'drop a table that another one references',
      before: `${table()}; export const u = pgTable('u', { id: integer().references(() => t.id) })`,
      after: `export const u = pgTable('u', { id: integer() })`,
      expect: 'needs data',
    },
    {
      name: 'rename a table',
      before: table('name: text().notNull()'),
      after: `export const t = pgTable('people', { id: integer().primaryKey(), name: text().notNull() })`,
      renames: ['t=people'],
      expect: 'right',
    },
    {
      name: 'rename a table that has an index, a unique and a reference to it',
      before: `${table('name: text().unique()', 'index().on(t.name)')}; export const u = pgTable('u', { t: integer().references(() => t.id) })`,
      after: `export const t = pgTable('people', { id: integer().primaryKey(), name: text().unique() }, (t) => [index().on(t.name)])
export const u = pgTable('u', { t: integer().references(() => t.id) })`,
      renames: ['t=people'],
      expect: 'right',
    },
    {
      name: 'replace a table by another',
      before: table(),
      after: `export const u = pgTable('u', { name: text() })`,
      expect: 'right',
    },
    {
      name: 'swap the names of two tables',
      before: `export const a = pgTable('a', { id: integer(), one: text() }); export const b = pgTable('b', { id: integer(), two: text() })`,
      after: `export const b = pgTable('a', { id: integer(), two: text() }); export const a = pgTable('b', { id: integer(), one: text() })`,
      expect: 'right',
    },
    {
      name: 'drop a table and create a view of its name',
      before: `${table()}; export const v = pgTable('v', { id: integer() })`,
      after: `${table()}; export const v = pgView('v', { id: integer() }).as(sql\`select id from t\`)`,
      expect: 'fell back',
    },
    {
      name: 'drop a view and create a table of its name',
      before: `${table()}; export const v = pgView('v', { id: integer() }).as(sql\`select id from t\`)`,
      after: `${table()}; export const v = pgTable('v', { id: integer() })`,
      expect: 'fell back',
    },
    { name: 'change nothing', before: table('name: text()'), after: table('name: text()'), expect: 'right' },
    {
      name: 'write the same schema in another way',
      before: `export const t = pgTable('t', { id: integer().primaryKey(), fullName: text('full_name') })`,
      after: `const name = text('full_name'); export const people = pgTable('t', { key: integer('id').primaryKey(), name })`,
      expect: 'right',
    },
    {
      name: 'write a comment into an expression',
      before: table('name: text()', "check('c', sql`id > 0`)"),
      after: table('name: text()', "check('c', sql`id > 0 /* never zero */`)"),
      expect: 'right',
    },
    {
      name: 'write a line comment into an expression',
      before: table('name: text()'),
      after: table('name: text()', "check('c', sql`id is not null -- never\\n`)"),
      expect: 'right',
    },
  ],
}
