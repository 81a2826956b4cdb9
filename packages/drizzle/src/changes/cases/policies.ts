import { type ChangeCases, table } from '../change-case.ts'

const policy = (options: string, name = 'p') => table('owner: text()', `pgPolicy('${name}', { ${options} })`)

/** Row level security and roles. */
export const policies: ChangeCases = {
  kind: 'row level security',
  cases: [
    {
      name: 'enable row level security',
      before: table(),
      after: "export const t = pgTable.withRLS('t', { id: integer().primaryKey() })",
      expect: 'right',
    },
    {
      name: 'disable row level security',
      before: "export const t = pgTable.withRLS('t', { id: integer().primaryKey() })",
      after: table(),
      expect: 'right',
    },
    {
      name: 'add a policy',
      before: table('owner: text()'),
      after: policy("for: 'select', using: sql`owner = current_user`"),
      expect: 'right',
    },
    {
      name: 'drop a policy',
      before: policy("for: 'select', using: sql`owner = current_user`"),
      after: table('owner: text()'),
      expect: 'right',
    },
    {
      name: 'change the condition of a policy',
      before: policy("for: 'select', using: sql`owner = current_user`"),
      after: policy("for: 'select', using: sql`owner = session_user`"),
      expect: 'right',
    },
    {
      name: 'add a check to a policy',
      before: policy("for: 'update', using: sql`true`"),
      after: policy("for: 'update', using: sql`true`, withCheck: sql`owner = current_user`"),
      expect: 'fell back',
    },
    {
      name: 'drop the check of a policy',
      before: policy("for: 'update', using: sql`true`, withCheck: sql`owner = current_user`"),
      after: policy("for: 'update', using: sql`true`"),
      expect: 'fell back',
    },
    {
      name: 'change what a policy is for',
      before: policy("for: 'select', using: sql`true`"),
      after: policy("for: 'delete', using: sql`true`"),
      expect: 'right',
    },
    {
      name: 'make a policy restrictive',
      before: policy('using: sql`true`'),
      after: policy("as: 'restrictive', using: sql`true`"),
      expect: 'right',
    },
    {
      name: 'change the roles of a policy',
      before: policy("to: 'public', using: sql`true`"),
      after: policy("to: ['current_user'], using: sql`true`"),
      expect: 'right',
    },
    {
      name: 'a policy for a role that is there',
      before: table('owner: text()'),
      after: `const reader = pgRole('pg_read_all_data').existing(); ${policy('to: reader, using: sql`true`')}`,
      expect: 'right',
    },
    {
      name: 'rename a policy',
      before: policy('using: sql`true`'),
      after: policy('using: sql`true`', 'q'),
      expect: 'right',
    },
    {
      name: 'rename and change a policy',
      before: policy('using: sql`true`'),
      after: policy('using: sql`false`', 'q'),
      renames: ['t.p=t.q'],
      expect: 'right',
    },
    {
      name: 'drop a column with its policy',
      before: policy('using: sql`owner = current_user`'),
      after: table(),
      expect: 'right',
    },
    {
      name: 'rename a column that a policy uses',
      before: policy('using: sql`owner = current_user`'),
      after: table('holder: text()', "pgPolicy('p', { using: sql`holder = current_user` })"),
      renames: ['t.owner=t.holder'],
      expect: 'right',
    },
    { name: 'drop a table with its policy', before: policy('using: sql`true`'), after: '', expect: 'right' },
    {
      name: 'create a role',
      before: table(),
      after: `${table()}; export const r = pgRole('drover_case_role')`,
      expect: 'refused',
    },
  ],
}
