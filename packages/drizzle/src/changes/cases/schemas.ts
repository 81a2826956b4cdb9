import { type ChangeCases, table } from '../change-case.ts'

const inside = (schema: string, columns = 'name: text()') =>
  `export const s = pgSchema('${schema}'); export const t = s.table('t', { id: integer().primaryKey(), ${columns} })`

/** Schemas, and what moves between them. */
export const schemas: ChangeCases = {
  kind: 'schemas',
  cases: [
    { name: 'create a schema', before: '', after: "export const s = pgSchema('s')", expect: 'right' },
    { name: 'create a schema with a table', before: '', after: inside('s'), expect: 'right' },
    { name: 'drop a schema', before: "export const s = pgSchema('s')", after: '', expect: 'right' },
    { name: 'drop a schema with its table', before: inside('s'), after: '', expect: 'right' },
    { name: 'rename a schema', before: inside('s'), after: inside('z'), renames: ['s=z'], expect: 'right' },
    {
      name: 'rename a schema, a table in it and a column of that',
      before: inside('s'),
      after:
        "export const s = pgSchema('z'); export const t = s.table('u', { id: integer().primaryKey(), title: text() })",
      renames: ['s=z', 's.t=z.u', 's.t.name=z.u.title'],
      expect: 'right',
    },
    {
      name: 'rename a schema with an enum and a sequence',
      before:
        "export const s = pgSchema('s'); export const m = s.enum('m', ['a']); export const q = s.sequence('q'); export const t = s.table('t', { m: m() })",
      after:
        "export const s = pgSchema('z'); export const m = s.enum('m', ['a']); export const q = s.sequence('q'); export const t = s.table('t', { m: m() })",
      renames: ['s=z'],
      expect: 'right',
    },
    {
      name: 'move a table into a schema',
      before: `export const s = pgSchema('s'); ${table('name: text()')}`,
      after: inside('s'),
      renames: ['t=s.t'],
      expect: 'right',
    },
    {
      name: 'move a table out of a schema that goes',
      before: inside('s'),
      after: table('name: text()'),
      renames: ['s.t=t'],
      expect: 'right',
    },
    {
      name: 'move a table into a schema that is new',
      before: table('name: text()'),
      after: inside('s'),
      renames: ['t=s.t'],
      expect: 'right',
    },
    {
      name: 'change a table in a schema',
      before: inside('s'),
      after: inside('s', "name: text().default('x'), age: integer()"),
      expect: 'right',
    },
    {
      name: 'the same table in two schemas',
      before: inside('s'),
      after: `${inside('s')}; export const z = pgSchema('z'); export const u = z.table('t', { id: integer() })`,
      expect: 'right',
    },
  ],
}
