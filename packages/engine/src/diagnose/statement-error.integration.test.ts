import type { Problem } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { exampleId } from '../run/example-plan.ts'
import { exampleRunner, problemOf } from '../run/example-runner.ts'

describe('a statement that fails', () => {
  it.each<[kind: string, up: string, expected: Partial<Problem>]>([
    [
      'a syntax error',
      'create table a ();\n\ncreate tabel b ();\n',
      {
        line: 3,
        column: 8,
        sqlstate: '42601',
        statement: 'create tabel b ()',
        message: 'migrations/1/migration.sql:3:8: syntax error at or near "tabel"',
        excerpt: ['3 | create tabel b ();', '  |        ^'],
      },
    ],
    [
      'a syntax error far into a statement',
      'create table a (\n  b int,\n  c int d\n);\nselect 1;',
      {
        line: 3,
        column: 9,
        sqlstate: '42601',
        statement: 'create table a (\n  b int,\n  c int d\n)',
        excerpt: ['1 | create table a (', '2 |   b int,', '3 |   c int d', '  |         ^', '4 | );'],
      },
    ],
    [
      'a syntax error at the end of a statement',
      'select 1;\ncreate table\n;\nselect 2;',
      { line: 2, sqlstate: '42601', statement: 'create table' },
    ],
    [
      'an undefined table',
      'create table a ();\nselect *\nfrom missing;\nselect 3',
      { line: 3, sqlstate: '42P01', statement: 'select *\nfrom missing' },
    ],
    [
      'a unique violation while running',
      'create table a (b int primary key);\ninsert into a values (1);\n\ninsert into a\nvalues (1);\nselect 4;',
      {
        line: 4,
        sqlstate: '23505',
        statement: 'insert into a\nvalues (1)',
        excerpt: ['4 | insert into a', '5 | values (1);'],
        message: 'migrations/1/migration.sql:4: duplicate key value violates unique constraint "a_pkey"',
        serverNotes: ['DETAIL: Key (b)=(1) already exists.'],
      },
    ],
    [
      'an error in a PL/pgSQL function',
      `create function f() returns int language plpgsql as $$\nbegin\n  return 1 / 0;\nend\n$$;\nselect 'x';\nselect f();`,
      {
        line: 7,
        sqlstate: '22012',
        statement: 'select f()',
        serverNotes: [expect.stringMatching(/^CONTEXT: (?:[^]*)PL\/pgSQL function f\(\) line 3 at RETURN$/) as string],
      },
    ],
    [
      'an error in a query that a function makes',
      `do $$\nbegin\n  execute 'select größer,\n  missing from pg_class';\nend\n$$;`,
      {
        line: 1,
        sqlstate: '42703',
        serverNotes: [
          'QUERY:\n  1 | select größer,\n    |        ^\n  2 |   missing from pg_class',
          expect.stringContaining('CONTEXT: PL/pgSQL function inline_code_block line 3 at EXECUTE') as string,
        ],
      },
    ],
    [
      'an error after text of several bytes',
      `-- größer 😀\nselect '😀 größer', '数据';\nselect 'ü', missing;`,
      {
        line: 3,
        column: 13,
        sqlstate: '42703',
        statement: `select 'ü', missing`,
        excerpt: [`3 | select 'ü', missing;`, '  |             ^'],
      },
    ],
    [
      'an error while running after rows that look like ours',
      `select 1 as "done" from generate_series(1, 3);\nselect 1 / 0;`,
      { line: 2, sqlstate: '22012', statement: 'select 1 / 0' },
    ],
    [
      'an error in a file with Windows line endings',
      `select 1;\r\n\r\nselect missing;\r\n`,
      {
        line: 3,
        column: 8,
        sqlstate: '42703',
        statement: 'select missing',
        excerpt: ['3 | select missing;', '  |        ^'],
      },
    ],
    [
      'a missing privilege',
      `create role "drover test nobody"; set local role "drover test nobody";\ncreate table public.a ();`,
      {
        line: 2,
        sqlstate: '42501',
        statement: 'create table public.a ()',
        hint: expect.stringContaining('grant create on schema') as string,
      },
    ],
    [
      'a statement that cannot run in a transaction',
      `create table a (b int);\ncreate index concurrently on a (b);`,
      { line: 2, sqlstate: '25001', hint: expect.stringContaining('cannot run in a transaction') as string },
    ],
    [
      'a database that is not there',
      `select 1;\ngrant connect on database "never made" to public;`,
      { line: 2, sqlstate: '3D000', statement: 'grant connect on database "never made" to public' },
    ],
  ])('is attributed to its file, line and statement: %s', async (_, up, expected) => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const problem = problemOf(await runner.upgrade([{ up }]))

    expect(problem).toMatchObject({
      code: 'STATEMENT_FAILED',
      revision: exampleId(1),
      file: 'migrations/1/migration.sql',
      ...expected,
    })
    expect(await runner.tables()).toEqual([])
  })

  it('has no line when the commit fails', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up =
      'create table a (id int primary key, b int references a deferrable initially deferred);\ninsert into a values (1, 2);'

    const problem = problemOf(await runner.upgrade([{ up }]))

    expect(problem).toMatchObject({
      code: 'STATEMENT_FAILED',
      sqlstate: '23503',
      file: 'migrations/1/migration.sql',
      message: expect.stringMatching(
        /^migrations\/1\/migration\.sql, at the end of its transaction: insert or update on table "a"/,
      ),
    })
    expect(problem).not.toHaveProperty('line')
    expect(await runner.applied()).toEqual([])
  })

  it('is not blamed for what goes wrong before it', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('drop table drover.lease')

    const problem = problemOf(await runner.upgrade([{ up: 'create table a ()' }]))

    expect(problem).toMatchObject({
      sqlstate: '42P01',
      message: expect.stringContaining('migration.sql, before its first statement: '),
    })
    expect(problem).not.toHaveProperty('statement')
  })
})
