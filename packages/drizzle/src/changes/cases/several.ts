import { type ChangeCases, table } from '../change-case.ts'

/** Several changes at once, and objects declared beside the schema. */
export const several: ChangeCases = {
  kind: 'several at once',
  cases: [
    {
      name: 'drop a column with its check, unique, index and foreign key',
      before: `export const w = pgTable('w', { id: integer().primaryKey() }); ${table('a: integer().references(() => w.id)', "check('c', sql`a is null or a is not null`), unique('u').on(t.a), index('i').on(t.a)")}`,
      after: `export const w = pgTable('w', { id: integer().primaryKey() }); ${table()}`,
      expect: 'right',
    },
    {
      name: 'a new enum, a column of it, an index on that and a view',
      before: table(),
      after: `export const m = pgEnum('m', ['a', 'b']); ${table("a: m().default('a')", "index('i').on(t.a)")}; export const v = pgView('v', { a: text() }).as(sql\`select a from t\`)`,
      expect: 'right',
    },
    {
      name: 'split a table in two',
      before: table('name: text(), street: text(), city: text()'),
      after: `${table('name: text()')}; export const u = pgTable('addresses', { id: integer().primaryKey(), t: integer().notNull().references(() => t.id), street: text(), city: text() })`,
      expect: 'right',
    },
    {
      name: 'rename a table, drop a column, add one and change a default',
      before: table('a: text(), b: integer().default(1)'),
      after: "export const t = pgTable('u', { id: integer().primaryKey(), b: integer().default(2), c: text() })",
      renames: ['t=u'],
      expect: 'right',
    },
    {
      name: 'change the type of a column and rename its table',
      before: table('a: integer()'),
      after: "export const t = pgTable('u', { id: integer().primaryKey(), a: bigint({ mode: 'number' }) })",
      renames: ['t=u'],
      expect: 'right',
    },
    {
      name: 'rename two tables and keep the reference between them',
      before: `${table()}; export const u = pgTable('u', { t: integer().references(() => t.id) })`,
      after:
        "export const t = pgTable('t2', { id: integer().primaryKey() }); export const u = pgTable('u2', { t: integer().references(() => t.id) })",
      renames: ['t=t2', 'u=u2'],
      expect: 'right',
    },
    {
      name: 'a new schema, an enum and a table in it, and a policy',
      before: '',
      after:
        "export const s = pgSchema('s'); export const m = s.enum('m', ['a']); export const t = s.table('t', { id: integer().primaryKey(), m: m().array() }, (t) => [pgPolicy('p', { using: sql`true` })])",
      expect: 'right',
    },
    {
      name: 'a large first schema',
      before: '',
      after: `export const users = pgTable('users', { id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(), email: varchar({ length: 320 }).notNull().unique(), at: timestamp({ withTimezone: true }).notNull().defaultNow() })
export const teams = pgTable('teams', { id: uuid().defaultRandom().primaryKey(), name: text().notNull() })
export const members = pgTable('members', { user: bigint({ mode: 'number' }).notNull().references(() => users.id, { onDelete: 'cascade' }), team: uuid().notNull().references(() => teams.id), role: text().notNull().default('member') }, (t) => [primaryKey({ columns: [t.user, t.team] }), index().on(t.team), check('known', sql\`role in ('member', 'owner')\`)])`,
      expect: 'right',
    },
    {
      name: 'declare a function and use it in a default',
      before: table(),
      after: table('n: integer().default(sql`one()`)'),
      objectsAfter: {
        'functions/one.sql': 'create function one() returns integer language sql immutable as $$ select 1 $$;',
      },
      expect: 'right',
    },
    {
      name: 'declare a trigger on a table that exists',
      before: table('at: timestamp()'),
      after: table('at: timestamp()'),
      objectsAfter: {
        'functions/touch.sql':
          'create function touch() returns trigger language plpgsql as $$ begin new.at = now(); return new; end $$;',
        'triggers/touch.sql': 'create trigger touch before update on t for each row execute function touch();',
      },
      expect: 'right',
    },
    {
      name: 'declare a comment on a new column',
      before: table(),
      after: table('a: text()'),
      objectsAfter: { 'comments/a.sql': "comment on column t.a is 'what it is called';" },
      expect: 'right',
    },
    {
      name: 'change a declared function',
      before: table(),
      after: table(),
      objectsBefore: { 'one.sql': 'create function one() returns integer language sql immutable as $$ select 1 $$;' },
      objectsAfter: { 'one.sql': 'create function one() returns integer language sql immutable as $$ select 2 $$;' },
      expect: 'right',
    },
    {
      name: 'drop a table and the declared trigger on it',
      before: `${table('at: timestamp()')}; export const u = pgTable('u', { id: integer() })`,
      after: "export const u = pgTable('u', { id: integer() })",
      objectsBefore: {
        'touch.sql': 'create function touch() returns trigger language plpgsql as $$ begin return new; end $$;',
        'trigger.sql': 'create trigger touch before update on t for each row execute function touch();',
      },
      objectsAfter: {
        'touch.sql': 'create function touch() returns trigger language plpgsql as $$ begin return new; end $$;',
      },
      expect: 'right',
    },
    {
      name: 'change the type of a column under a declared view',
      before: table('a: integer()'),
      after: table("a: bigint({ mode: 'number' })"),
      objectsBefore: { 'v.sql': 'create view v as select a from t;' },
      objectsAfter: { 'v.sql': 'create view v as select a from t;' },
      expect: 'fell back',
    },
  ],
}
