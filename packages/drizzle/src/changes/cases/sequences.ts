import { type ChangeCases, table } from '../change-case.ts'

const key = (column: string) => `export const t = pgTable('t', { id: ${column}.primaryKey(), name: text() })`

/** Sequences, identities and generated columns. */
export const sequences: ChangeCases = {
  kind: 'sequences, identity, generated',
  cases: [
    { name: 'create a sequence', before: '', after: "export const s = pgSequence('s')", expect: 'right' },
    {
      name: 'create a sequence with options',
      before: '',
      after:
        "export const s = pgSequence('s', { startWith: 100, increment: 5, minValue: 10, maxValue: 1000, cache: 3, cycle: true })",
      expect: 'right',
    },
    { name: 'drop a sequence', before: "export const s = pgSequence('s')", after: '', expect: 'right' },
    {
      name: 'change the options of a sequence',
      before: "export const s = pgSequence('s', { increment: 5 })",
      after: "export const s = pgSequence('s', { increment: 7, maxValue: 1000, cycle: true })",
      expect: 'fell back',
    },
    {
      name: 'drop the options of a sequence',
      before: "export const s = pgSequence('s', { increment: 5, maxValue: 1000, cycle: true })",
      after: "export const s = pgSequence('s')",
      expect: 'fell back',
    },
    {
      name: 'rename a sequence',
      before: "export const s = pgSequence('s')",
      after: "export const s = pgSequence('z')",
      renames: ['s=z'],
      expect: 'right',
    },
    {
      name: 'move a sequence to another schema',
      before: "export const a = pgSchema('a'); export const s = pgSequence('s')",
      after: "export const a = pgSchema('a'); export const s = a.sequence('s')",
      renames: ['s=a.s'],
      expect: 'right',
    },
    {
      name: 'a sequence as a default',
      before: `export const s = pgSequence('s'); ${table('n: integer()')}`,
      after: `export const s = pgSequence('s'); ${table("n: integer().default(sql`nextval('s')`)")}`,
      expect: 'right',
    },
    {
      name: 'make a column an identity',
      before: key('integer()'),
      after: key('integer().generatedAlwaysAsIdentity()'),
      expect: 'right',
    },
    {
      name: 'make a column a plain one again',
      before: key('integer().generatedByDefaultAsIdentity()'),
      after: key('integer()'),
      expect: 'right',
    },
    {
      name: 'change when an identity is generated',
      before: key('integer().generatedAlwaysAsIdentity()'),
      after: key('integer().generatedByDefaultAsIdentity()'),
      expect: 'right',
    },
    {
      name: 'change the options of an identity',
      before: key('integer().generatedAlwaysAsIdentity()'),
      after: key('integer().generatedAlwaysAsIdentity({ startWith: 100, increment: 10, cache: 5 })'),
      expect: 'right',
    },
    {
      name: 'rename the sequence of an identity',
      before: key("integer().generatedAlwaysAsIdentity({ name: 'one' })"),
      after: key("integer().generatedAlwaysAsIdentity({ name: 'two' })"),
      expect: 'right',
    },
    {
      name: 'serial to identity, of a key that is not called id',
      before: "export const t = pgTable('t', { key: serial().primaryKey() })",
      after: "export const t = pgTable('t', { key: integer().generatedByDefaultAsIdentity().primaryKey() })",
      expect: 'fell back',
    },
    {
      name: 'serial to identity',
      before: key('serial()'),
      after: key('integer().generatedByDefaultAsIdentity()'),
      expect: 'fell back',
    },
    {
      name: 'identity to serial',
      before: key('integer().generatedByDefaultAsIdentity()'),
      after: key('serial()'),
      expect: 'fell back',
    },
    {
      name: 'add an identity column',
      before: table(),
      after: table('n: integer().generatedAlwaysAsIdentity()'),
      expect: 'right',
    },
    {
      name: 'integer identity to bigint identity',
      before: key('integer().generatedAlwaysAsIdentity()'),
      after: key("bigint({ mode: 'number' }).generatedAlwaysAsIdentity()"),
      expect: 'right',
    },
    {
      name: 'add a generated column',
      before: table('name: text()'),
      after: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      expect: 'right',
    },
    {
      name: 'drop a generated column',
      before: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      after: table('name: text()'),
      expect: 'right',
    },
    {
      name: 'change the expression of a generated column',
      before: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      after: table('name: text(), upper: text().generatedAlwaysAs(sql`lower(name)`)'),
      expect: 'right',
    },
    {
      name: 'make a generated column a plain one',
      before: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      after: table('name: text(), upper: text()'),
      expect: 'right',
    },
    {
      name: 'make a plain column a generated one',
      before: table('name: text(), upper: text()'),
      after: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      expect: 'needs data',
    },
    {
      name: 'rename a column that a generated one uses',
      before: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      after: table('title: text(), upper: text().generatedAlwaysAs(sql`upper(title)`)'),
      renames: ['t.name=t.title'],
      expect: 'right',
    },
    {
      name: 'drop a column that a generated one uses, with it',
      before: table('name: text(), upper: text().generatedAlwaysAs(sql`upper(name)`)'),
      after: table(),
      expect: 'fell back',
    },
  ],
}
