import { describe, expect, it } from 'vitest'

import { readAllowances } from './allowances.ts'
import { exampleScript } from './example-script.ts'

const read = (sql: string) => readAllowances(exampleScript(sql))

describe('a comment that allows', () => {
  it('is for the statement below it, with its rules and its reason', () => {
    const sql = `create table a ();
-- drover:allow ban-drop-table because nobody reads it
-- and has not for a year
drop table b;

  -- drover:allow renaming-column, ban-drop-column because of the outage
-- drover:allow changing-column-type because it is empty
alter table c rename column d to e;
`
    expect(read(sql)).toEqual({
      allowances: [
        { rule: 'ban-drop-table', reason: 'nobody reads it', statement: 1, line: 2 },
        { rule: 'renaming-column', reason: 'of the outage', statement: 2, line: 6 },
        { rule: 'ban-drop-column', reason: 'of the outage', statement: 2, line: 6 },
        { rule: 'changing-column-type', reason: 'it is empty', statement: 2, line: 7 },
      ],
      problems: [],
    })
  })

  it('may have line ends of Windows', () => {
    expect(read('-- drover:allow ban-drop-table because it is empty\r\ndrop table a;\r\n').allowances).toEqual([
      { rule: 'ban-drop-table', reason: 'it is empty', statement: 0, line: 1 },
    ])
  })

  it.each([
    ['-- drover:allow ban-drop-table\ndrop table a;', 1, 'it says no rule or no reason'],
    ['-- drover:allow ban-drop-table because\ndrop table a;', 1, 'it says no rule or no reason'],
    ['-- drover:allow because it is empty\ndrop table a;', 1, 'it says no rule or no reason'],
    ['-- drover:allow\ndrop table a;', 1, 'it says no rule or no reason'],
    ['select 1;\n-- drover:allow ban-drop-tabel because I say so\ndrop table a;', 2, '"ban-drop-tabel" is no rule'],
    ['-- drover:allow toString because I say so\ndrop table a;', 1, '"toString" is no rule'],
    [
      'drop table a; -- drover:allow ban-drop-table because it is empty\ndrop table b;',
      1,
      'it stands behind a statement',
    ],
    ['drop table a;\n-- drover:allow ban-drop-table because it is empty\n', 2, 'no statement follows'],
  ])('is a problem when it allows nothing: %j', (sql, line, what) => {
    const file = 'databases/main/migrations/20261120100000_change/migration.sql'
    expect(read(sql)).toEqual({
      allowances: [],
      problems: [
        {
          code: 'REVISION_INVALID',
          revision: 'a1a1a1a1a1a1',
          file,
          line,
          message: `${file}:${line}: a1a1a1a1a1a1 "change" has a comment that allows nothing: ${what}`,
          hint: expect.any(String),
        },
      ],
    })
  })

  it('is none inside of a string or a body', () => {
    const sql = `insert into a values ('
-- drover:allow ban-drop-table because it is text
');
do $$
-- drover:allow nothing
begin end $$;
`
    expect(read(sql)).toEqual({ allowances: [], problems: [] })
  })
})
