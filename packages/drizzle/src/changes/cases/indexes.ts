import { type ChangeCases, table } from '../change-case.ts'

const columns = 'a: text(), b: text(), n: integer(), j: jsonb(), p: point(), ts: timestamp(), xs: integer().array()'
const indexed = (extras: string) => table(columns, extras)
const add = (name: string, extras: string) => ({
  name,
  before: table(columns),
  after: indexed(extras),
  expect: 'right' as const,
})

/** Indexes of every method and clause. */
export const indexes: ChangeCases = {
  kind: 'indexes',
  cases: [
    add('add an index', 'index().on(t.a)'),
    add('add an index with a name', "index('i').on(t.a)"),
    { ...add('drop an index', ''), before: indexed("index('i').on(t.a)"), after: table(columns) },
    add('add an index over several columns', "index('i').on(t.a, t.b, t.n)"),
    add('add a hash index', "index('i').using('hash', t.a)"),
    add('add a gin index', "index('i').using('gin', t.j)"),
    add('add a gin index with an operator class', "index('i').using('gin', t.j.op('jsonb_path_ops'))"),
    add('add a gin index over an array', "index('i').using('gin', t.xs)"),
    add('add a gist index', "index('i').using('gist', t.p)"),
    add('add an spgist index', "index('i').using('spgist', t.p)"),
    add('add a brin index', "index('i').using('brin', t.ts)"),
    add('add an index with an operator class', "index('i').on(t.a.op('text_pattern_ops'))"),
    add('add a descending index', "index('i').on(t.n.desc().nullsLast())"),
    add('add an index with nulls first', "index('i').on(t.n.asc().nullsFirst())"),
    add('add an index with a condition', "index('i').on(t.a).where(sql`n > 1`)"),
    add('add an index over an expression', "index('i').on(sql`lower(a)`)"),
    add('add an index over an expression and a column', "index('i').on(sql`lower(a)`, t.n.desc())"),
    add('add an index with a fill factor', "index('i').on(t.a).with({ fillfactor: 70 })"),
    add('add a unique index over the key', "uniqueIndex('i').on(t.id, t.a)"),
    { ...add('add a unique index that rows may break', "uniqueIndex('i').on(t.n)"), expect: 'needs data' },
    add('add a unique index with a condition', "uniqueIndex('i').on(t.id).where(sql`n is not null`)"),
    add('add an index that is asked to be concurrent', "index('i').on(t.a).concurrently()"),
    {
      name: 'change the columns of an index',
      before: indexed("index('i').on(t.a)"),
      after: indexed("index('i').on(t.b)"),
      expect: 'right',
    },
    {
      name: 'change the order of an index',
      before: indexed("index('i').on(t.n)"),
      after: indexed("index('i').on(t.n.desc())"),
      expect: 'right',
    },
    {
      name: 'change the method of an index',
      before: indexed("index('i').on(t.a)"),
      after: indexed("index('i').using('hash', t.a)"),
      expect: 'right',
    },
    {
      name: 'change the condition of an index',
      before: indexed("index('i').on(t.a).where(sql`n > 1`)"),
      after: indexed("index('i').on(t.a).where(sql`n > 2`)"),
      expect: 'right',
    },
    {
      name: 'drop the condition of an index',
      before: indexed("index('i').on(t.a).where(sql`n > 1`)"),
      after: indexed("index('i').on(t.a)"),
      expect: 'right',
    },
    {
      name: 'change the expression of an index',
      before: indexed("index('i').on(sql`lower(a)`)"),
      after: indexed("index('i').on(sql`upper(a)`)"),
      expect: 'right',
    },
    {
      name: 'change the operator class of an index',
      before: indexed("index('i').on(t.a)"),
      after: indexed("index('i').on(t.a.op('text_pattern_ops'))"),
      expect: 'right',
    },
    {
      name: 'change the fill factor of an index',
      before: indexed("index('i').on(t.a).with({ fillfactor: 70 })"),
      after: indexed("index('i').on(t.a).with({ fillfactor: 80 })"),
      expect: 'right',
    },
    {
      name: 'make an index unique',
      before: indexed("index('i').on(t.id, t.a)"),
      after: indexed("uniqueIndex('i').on(t.id, t.a)"),
      expect: 'right',
    },
    {
      name: 'rename an index',
      before: indexed("index('i').on(t.a)"),
      after: indexed("index('k').on(t.a)"),
      expect: 'right',
    },
    {
      name: 'rename and change an index',
      before: indexed("index('i').on(t.a)"),
      after: indexed("index('k').on(t.b)"),
      renames: ['t.i=t.k'],
      expect: 'right',
    },
    {
      name: 'move an index to another table',
      before: `${indexed("index('i').on(t.a)")}; export const u = pgTable('u', { a: text() })`,
      after: `${table(columns)}; export const u = pgTable('u', { a: text() }, (u) => [index('i').on(u.a)])`,
      expect: 'right',
    },
  ],
}
