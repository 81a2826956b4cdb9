import { type ChangeCases, table } from '../change-case.ts'

const child = (columns: string, extras = '') => `${table('a: integer(), b: integer()', 'unique().on(t.a, t.b)')}
export const u = pgTable('u', { id: integer().primaryKey(), ${columns} }${extras === '' ? '' : `, (u) => [${extras}]`})`

/** Foreign keys. */
export const foreignKeys: ChangeCases = {
  kind: 'foreign keys',
  cases: [
    {
      name: 'add a foreign key',
      before: child('t: integer()'),
      after: child('t: integer().references(() => t.id)'),
      expect: 'right',
    },
    {
      name: 'add a column with a foreign key',
      before: child(''),
      after: child('t: integer().references(() => t.id)'),
      expect: 'right',
    },
    {
      name: 'drop a foreign key',
      before: child('t: integer().references(() => t.id)'),
      after: child('t: integer()'),
      expect: 'right',
    },
    {
      name: 'change what happens on delete',
      before: child('t: integer().references(() => t.id)'),
      after: child("t: integer().references(() => t.id, { onDelete: 'cascade' })"),
      expect: 'right',
    },
    {
      name: 'change what happens on update',
      before: child("t: integer().references(() => t.id, { onUpdate: 'cascade' })"),
      after: child("t: integer().references(() => t.id, { onUpdate: 'set null' })"),
      expect: 'right',
    },
    {
      name: 'drop what happens on delete',
      before: child("t: integer().references(() => t.id, { onDelete: 'set null' })"),
      after: child('t: integer().references(() => t.id)'),
      expect: 'right',
    },
    {
      name: 'add a composite foreign key',
      before: child('a: integer(), b: integer()'),
      after: child(
        'a: integer(), b: integer()',
        "foreignKey({ columns: [u.a, u.b], foreignColumns: [t.a, t.b], name: 'f' })",
      ),
      expect: 'needs data',
    },
    {
      name: 'rename a foreign key',
      before: child('x: integer()', "foreignKey({ columns: [u.x], foreignColumns: [t.id], name: 'f' })"),
      after: child('x: integer()', "foreignKey({ columns: [u.x], foreignColumns: [t.id], name: 'g' })"),
      expect: 'right',
    },
    {
      name: 'point a foreign key at another table',
      before: `${child('t: integer().references(() => t.id)')}; export const w = pgTable('w', { id: integer().primaryKey() })`,
      after: `${child('t: integer().references(() => w.id)')}; export const w = pgTable('w', { id: integer().primaryKey() })`,
      expect: 'right',
    },
    {
      name: 'add a column that references its own table',
      before: table(),
      after: 'export const t = pgTable("t", { id: integer().primaryKey(), parent: integer().references(() => t.id) })',
      expect: 'right',
    },
    {
      name: 'create a table that references itself',
      before: '',
      after: 'export const t = pgTable("t", { id: integer().primaryKey(), parent: integer().references(() => t.id) })',
      expect: 'right',
    },
    {
      name: 'create two tables that reference each other',
      before: '',
      after:
        'export const a = pgTable("a", { id: integer().primaryKey(), b: integer().references(() => b.id) }); export const b = pgTable("b", { id: integer().primaryKey(), a: integer().references(() => a.id) })',
      expect: 'right',
    },
    {
      name: 'drop two tables that reference each other',
      before:
        'export const a = pgTable("a", { id: integer().primaryKey(), b: integer().references(() => b.id) }); export const b = pgTable("b", { id: integer().primaryKey(), a: integer().references(() => a.id) })',
      after: '',
      expect: 'right',
    },
    {
      name: 'drop a table and the column that references it',
      before: child('t: integer().references(() => t.id)'),
      after: "export const u = pgTable('u', { id: integer().primaryKey() })",
      expect: 'right',
    },
    {
      name: 'reference a column that becomes unique',
      before: `${table('n: integer()')}; export const u = pgTable('u', { id: integer() })`,
      after: `${table('n: integer().unique()')}; export const u = pgTable('u', { id: integer(), n: integer().references(() => t.n) })`,
      expect: 'needs data',
    },
    {
      name: 'reference a table in another schema',
      before: `export const s = pgSchema('s'); export const w = s.table('w', { id: integer().primaryKey() }); ${table()}`,
      after: `export const s = pgSchema('s'); export const w = s.table('w', { id: integer().primaryKey() }); ${table('w: integer().references(() => w.id)')}`,
      expect: 'right',
    },
  ],
}
