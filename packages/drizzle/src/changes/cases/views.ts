import { type ChangeCases, table } from '../change-case.ts'

const on = (view: string, columns = 'name: text()') => `${table(columns)}; export const v = ${view}`
const plain = "pgView('v', { id: integer() }).as(sql`select id from t`)"
const stored = "pgMaterializedView('v', { id: integer() }).as(sql`select id from t`)"

/** Views and materialized views. */
export const views: ChangeCases = {
  kind: 'views',
  cases: [
    { name: 'create a view', before: table('name: text()'), after: on(plain), expect: 'right' },
    { name: 'create a view with its table', before: '', after: on(plain), expect: 'right' },
    {
      name: 'create a view from a query of Drizzle',
      before: table('name: text()'),
      after: on("pgView('v').as((q) => q.select({ id: t.id, name: t.name }).from(t).where(gt(t.id, 1)))"),
      expect: 'right',
    },
    { name: 'drop a view', before: on(plain), after: table('name: text()'), expect: 'right' },
    { name: 'drop a view with its table', before: on(plain), after: '', expect: 'right' },
    {
      name: 'change a view',
      before: on(plain),
      after: on("pgView('v', { id: integer() }).as(sql`select id from t where id > 1`)"),
      expect: 'right',
    },
    {
      name: 'add a column to a view',
      before: on(plain),
      after: on("pgView('v', { id: integer(), name: text() }).as(sql`select id, name from t`)"),
      expect: 'right',
    },
    {
      name: 'drop a column from a view',
      before: on("pgView('v', { id: integer(), name: text() }).as(sql`select id, name from t`)"),
      after: on(plain),
      expect: 'right',
    },
    {
      name: 'rename a view',
      before: on(plain),
      after: on("pgView('w', { id: integer() }).as(sql`select id from t`)"),
      expect: 'right',
    },
    {
      name: 'rename and change a view',
      before: on(plain),
      after: on("pgView('w', { id: integer() }).as(sql`select id from t where id > 1`)"),
      renames: ['v=w'],
      expect: 'right',
    },
    {
      name: 'create a view with options',
      before: table('name: text()'),
      after: on(
        "pgView('v', { id: integer() }).with({ securityBarrier: true, securityInvoker: true, checkOption: 'local' }).as(sql`select id from t`)",
      ),
      expect: 'right',
    },
    {
      name: 'change the options of a view',
      before: on(plain),
      after: on("pgView('v', { id: integer() }).with({ securityInvoker: true }).as(sql`select id from t`)"),
      expect: 'right',
    },
    {
      name: 'drop the options of a view',
      before: on("pgView('v', { id: integer() }).with({ securityInvoker: true }).as(sql`select id from t`)"),
      after: on(plain),
      expect: 'right',
    },
    {
      name: 'create a view on a view',
      before: on(plain),
      after: `${on(plain)}; export const w = pgView('w', { id: integer() }).as(sql\`select id from v\`)`,
      expect: 'right',
    },
    {
      name: 'drop a view on a view with it',
      before: `${on(plain)}; export const w = pgView('w', { id: integer() }).as(sql\`select id from v\`)`,
      after: table('name: text()'),
      expect: 'fell back',
    },
    {
      name: 'change a view under a view',
      before: `${on(plain)}; export const w = pgView('w', { id: integer() }).as(sql\`select id from v\`)`,
      after: `${on("pgView('v', { id: integer() }).as(sql`select id from t where id > 1`)")}; export const w = pgView('w', { id: integer() }).as(sql\`select id from v\`)`,
      expect: 'fell back',
    },
    { name: 'create a materialized view', before: table('name: text()'), after: on(stored), expect: 'right' },
    {
      name: 'create a materialized view with options',
      before: table('name: text()'),
      after: on(
        "pgMaterializedView('v', { id: integer() }).with({ fillfactor: 70 }).withNoData().as(sql`select id from t`)",
      ),
      expect: 'right',
    },
    { name: 'drop a materialized view', before: on(stored), after: table('name: text()'), expect: 'right' },
    {
      name: 'change a materialized view',
      before: on(stored),
      after: on("pgMaterializedView('v', { id: integer() }).as(sql`select id from t where id > 1`)"),
      expect: 'right',
    },
    { name: 'a view to a materialized view', before: on(plain), after: on(stored), expect: 'right' },
    {
      name: 'change a type under a view',
      before: on("pgView('v', { name: text() }).as(sql`select name from t`)", 'name: varchar({ length: 10 })'),
      after: on("pgView('v', { name: text() }).as(sql`select name from t`)"),
      expect: 'fell back',
    },
    {
      name: 'rename a column under a view',
      before: on("pgView('v', { name: text() }).as(sql`select name from t`)"),
      after: on("pgView('v', { name: text() }).as(sql`select title as name from t`)", 'title: text()'),
      renames: ['t.name=t.title'],
      expect: 'right',
    },
    {
      name: 'drop a column under a view that changes',
      before: on("pgView('v', { id: integer(), name: text() }).as(sql`select id, name from t`)"),
      after: on(plain, ''),
      expect: 'right',
    },
    {
      name: 'add a column that a view then has',
      before: on(plain, ''),
      after: on("pgView('v', { id: integer(), name: text() }).as(sql`select id, name from t`)"),
      expect: 'right',
    },
    {
      name: 'move a view to another schema',
      before: `export const s = pgSchema('s'); ${on(plain)}`,
      after: `export const s = pgSchema('s'); ${on("s.view('v', { id: integer() }).as(sql`select id from t`)")}`,
      renames: ['v=s.v'],
      expect: 'right',
    },
    {
      name: 'declare a view that exists elsewhere',
      before: table(),
      after: `${table()}; export const v = pgView('v', { id: integer() }).existing()`,
      expect: 'right',
    },
  ],
}
