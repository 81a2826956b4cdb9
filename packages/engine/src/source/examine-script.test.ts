import { checksum, type Revision } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { examineScript } from './examine-script.ts'
import type { Script } from './script.ts'
import { splitStatements } from './statements.ts'

const revision: Revision = {
  id: '0123456789ab',
  parents: [],
  dependsOn: [],
  labels: [],
  message: 'add users',
  created: '2026-11-20T14:30:00Z',
  folder: 'databases/main/migrations/one',
  reversible: true,
}
const file = `${revision.folder}/migration.sql`

describe('examineScript', () => {
  it('finds nothing wrong with what runs in a transaction, in whatever words that is written', async () => {
    const sql = `create table t ();
savepoint s;
reindex (concurrently false) table t;
call azure.doit();
select * from cypher('g', $$ match (n) return n $$) as (n agtype);
rollback to s;`

    expect(await examineScript(scriptOf(sql))).toEqual([])
    expect(await examineScript(scriptOf('-- nothing\n'))).toEqual([])
  })

  it('names the place of a syntax error in its file, whatever stands before it', async () => {
    const sql = `create table t (name text default 'é😀');\n\nselect 'é😀' frmo\n  t where;\nselect 1 +;\n`

    expect(await examineScript(scriptOf(sql))).toMatchObject([
      {
        code: 'REVISION_INVALID',
        file,
        line: 4,
        column: 3,
        message: `${file}:4:3: 0123456789ab "add users" is not SQL: syntax error at or near "t"`,
        excerpt: [`3 | select 'é😀' frmo`, '4 |   t where;', '  |   ^'],
      },
    ])
  })

  it('cuts a script where its statements change sides', async () => {
    const sql = `create table a ();
create table b (
);
-- fast
create unique index concurrently on_a on a (id);
vacuum a;
create table c ();
`

    const [problem, ...others] = await examineScript(scriptOf(sql))

    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'OUTSIDE_TRANSACTION', line: 5, statement: expect.stringContaining('on_a') })
    expect(problem?.message).toContain(
      'mixes statements that PostgreSQL runs in a transaction with ones that it does not',
    )
    expect(problem?.hint).toContain(
      'split it into 3 revisions, each with the way back of its lines: 1. lines 1 to 3; 2. lines 5 to 6 (create unique index concurrently on_a on a (id)) with "transaction": "none"; 3. line 7. Make each of the others with: pnpm migrate revision "<message>" -d <database> --empty',
    )
  })

  it('has nothing to cut where no statement runs in a transaction', async () => {
    const [problem, ...others] = await examineScript(scriptOf('vacuum;\ndiscard all;\n'))

    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'OUTSIDE_TRANSACTION', line: 1 })
    expect(problem?.hint).toContain(`write "transaction": "none" into ${revision.folder}/revision.json`)
    expect(await examineScript(scriptOf('vacuum;\ndiscard all;\n', { transaction: 'none' }))).toEqual([])
  })

  it('finds a transaction of its own, and takes no word in a string or a body for one', async () => {
    const sql = `begin;\ncreate table t ();\ncommit;\ndo $$ begin perform 1; end $$;\nselect 'commit';\n`

    expect(await examineScript(scriptOf(sql))).toMatchObject([
      { code: 'OWN_TRANSACTION', line: 1, statement: 'begin' },
      { code: 'OWN_TRANSACTION', line: 3, statement: 'commit' },
    ])
  })

  it('reads a statement that is repeated over a range of keys, and finds its errors where they stand', async () => {
    const batch = { range: { key: 't.id', size: 10 }, pauseMs: 0 }
    const sql = 'update t set a = 1 where id > :from and id <= :to;\n'
    const wrong = 'update t set a = 1 where id > :from and id <= :to limt 1;\n'

    expect(await examineScript(scriptOf(sql, { batch }))).toEqual([])
    expect(await examineScript(scriptOf(wrong, { batch }))).toMatchObject([
      { code: 'REVISION_INVALID', line: 1, column: wrong.indexOf('limt') + 1 },
    ])
  })

  it('leaves what is not filled in, or never closed, to the quick look', async () => {
    expect(await examineScript(scriptOf('-- drover:unfilled\nnonsense;\n'))).toMatchObject([{ code: 'UNFILLED' }])
    expect(await examineScript(scriptOf(`select 'a;\n`))).toMatchObject([
      { message: `${file}:1: the string that begins in this line is never closed` },
    ])
  })
})

function scriptOf(sql: string, fields: Partial<Revision> = {}): Script {
  return {
    revision: { ...revision, ...fields },
    direction: 'up',
    file,
    sql,
    statements: splitStatements(sql),
    checksum: checksum(sql),
  }
}
