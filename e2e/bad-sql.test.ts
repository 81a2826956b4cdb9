import { describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { catalogOf, query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'

const third = 'a3a3a3a3a3a3'

/** A pair whose alpha has a third revision with this SQL. Beta comes after alpha. */
async function createPairWith(up: string, down = 'select 1;\n'): Promise<{ pair: Pair; file: string; down: string }> {
  const pair = await createPair()
  const folder = await pair.addRevision('alpha', { id: third, message: 'third', up, down })
  return { pair, file: `${folder}/migration.sql`, down: `${folder}/down.sql` }
}

/** That pair, whose third revision fails, and gamma, which comes after nothing. */
async function createTrio(): Promise<{ trio: Pair; gamma: string }> {
  const { pair } = await createPairWith('select 1 / 0;\n')
  const gamma = await pair.addDatabase('gamma')
  await pair.addRevision('gamma', { id: 'c1c1c1c1c1c1' })
  return { trio: pair, gamma }
}

describe('SQL that fails', () => {
  test('a syntax error is shown with file, line, statement and SQLSTATE', async () => {
    const { pair, file } = await createPairWith('create table kept (id integer);\n\n-- a comment\nselec 1;\n')
    await using _ = pair

    const ended = await pair.migrate('upgrade')

    expectFailure(
      ended,
      1,
      `error: alpha: ${file}:4:1: syntax error at or near "selec" [42601]\n    4 | selec 1;\n      | ^\n`,
      `  next: correct ${file}, then run the same command again: nothing of this revision was kept`,
    )
    expect(ended.stdout).toMatch(/^alpha {2}failed at a3a3a3a3a3a3 third: 2 revisions applied$/m)
    expect(ended.stdout).toMatch(/^beta {3}not tried: 2 revisions left$/m)
  })

  test('an error at run time in the third statement is shown with its file, line, statement and SQLSTATE', async () => {
    const { pair, file } = await createPairWith(
      'create table kept (id integer check (id > 0));\ninsert into kept values (1);\n\ninsert into kept\nselect 1 / (id - 1) from kept;\nselect 4;\n',
    )
    await using _ = pair

    const ended = await pair.migrate('upgrade', '--json')

    expectFailure(
      ended,
      1,
      `alpha: ${file}:4: division by zero [22012]\n    4 | insert into kept\n    5 | select 1 / (id - 1) from kept;\n`,
    )
    expect(ended.json().error).toMatchObject({
      code: 'STATEMENT_FAILED',
      database: 'alpha',
      revision: third,
      file,
      line: 4,
      statement: 'insert into kept\nselect 1 / (id - 1) from kept',
      excerpt: ['4 | insert into kept', '5 | select 1 / (id - 1) from kept;'],
      sqlstate: '22012',
    })
  })

  test('what the server adds to an error is passed on', async () => {
    const { pair } = await createPairWith(
      'insert into a1 values (7);\nalter table a1 add constraint few check (id < 7);\n',
    )
    await using _ = pair

    expectFailure(await pair.migrate('upgrade'), 1, '[23514]', '"few"')
    await pair.write(
      `databases/alpha/migrations/20261101000005_${third}/migration.sql`,
      'alter table a1 add primary key (id);\ninsert into a1 values (7), (7);\n',
    )
    expectFailure(await pair.migrate('upgrade'), 1, '[23505]', '  DETAIL: Key (id)=(7) already exists.')
  })

  test('nothing of the revision stays, the earlier ones do, and a rerun goes on after the file was corrected', async () => {
    const { pair, file } = await createPairWith('create table kept (id integer);\nselect 1 / 0;\n')
    await using _ = pair
    const reference = await createPair()
    await reference.migrate('upgrade')
    const expected = await catalogOf(reference.urls.alpha)
    await reference[Symbol.asyncDispose]()

    expectFailure(await pair.migrate('upgrade'), 1, `${file}:2: division by zero`)

    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
    expect(await catalogOf(pair.urls.alpha)).toEqual(expected)
    expect(await readOutcomes(pair.urls.alpha)).toEqual(['failed'])
    expect(await readApplied(pair.urls.beta)).toEqual([])

    await pair.write(file, 'create table kept (id integer);\n')
    const again = await pair.migrate('upgrade')

    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^alpha {2}1 revision applied$/m) })
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2, third])
    expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
    expect(await readOutcomes(pair.urls.alpha)).toEqual(['failed', 'succeeded'])
  })

  test('a down.sql that fails is shown with file and line, and its revision stays applied', async () => {
    const { pair, down } = await createPairWith('select 1;\n', 'drop table a2;\ndrop table never;\n')
    await using _ = pair
    await pair.migrate('upgrade')

    const ended = await pair.migrate('downgrade')

    expectFailure(ended, 1, `alpha: ${down}:2: table "never" does not exist [42P01]`, `write "if exists" in ${down}`)
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2, third])
    expect(await query(pair.urls.alpha, 'select * from a2')).toEqual([])
    // Reverse order: beta was done before alpha failed.
    expect(await readApplied(pair.urls.beta)).toEqual([ids.b1])
  })
})

describe('--on-failure', () => {
  test('stop, the default, says which databases were done, which failed and which were not tried', async () => {
    const { trio, gamma } = await createTrio()
    await using _ = trio
    await trio.addDatabase('aardvark')
    await trio.addRevision('aardvark', { id: 'd1d1d1d1d1d1', parents: [] })

    const ended = await trio.migrate('upgrade', '--jobs', '1')

    expectFailure(ended, 1, 'division by zero')
    expect(ended.stdout).toMatch(
      /^aardvark +1 revision applied\nalpha +failed at .*\nbeta +not tried: .*\ngamma +not tried: 1/m,
    )
    expect(await readApplied(gamma)).toEqual([])
  })

  test('continue goes on with the databases that do not come after the failed one', async () => {
    const { trio, gamma } = await createTrio()
    await using _ = trio

    const ended = await trio.migrate('upgrade', '--on-failure', 'continue')

    expectFailure(ended, 1, 'alpha: ', 'division by zero')
    expect(ended.stdout).toMatch(/^alpha +failed at a3a3a3a3a3a3 third: 2 revisions applied$/m)
    expect(ended.stdout).toMatch(/^beta +not tried: 2 revisions left$/m)
    expect(ended.stdout).toMatch(/^gamma +1 revision applied$/m)
    expect(await readApplied(gamma)).toEqual(['c1c1c1c1c1c1'])
    expect(await readApplied(trio.urls.beta)).toEqual([])
  })

  test('rollback undoes what the release has done, in reverse, and nothing that was there before', async () => {
    const { trio } = await createTrio()
    await using _ = trio
    await trio.addDatabase('aardvark')
    await trio.addRevision('aardvark', { id: 'd1d1d1d1d1d1', parents: [] })
    await trio.migrate('upgrade', '+1', '-d', 'alpha')
    const before = await catalogOf(trio.urls.alpha)

    const ended = await trio.migrate('upgrade', '--on-failure', 'rollback', '--jobs', '1')

    expectFailure(ended, 1, 'alpha: ', 'division by zero')
    expect(ended.stdout).toMatch(/^aardvark +1 revision applied, 1 rolled back$/m)
    expect(ended.stdout).toMatch(/^alpha +failed at .*: 1 revision applied, 1 rolled back$/m)
    expect(await readApplied(trio.urls.alpha)).toEqual([ids.a1])
    expect(await catalogOf(trio.urls.alpha)).toEqual(before)
    expect(await readApplied(trio.env['AARDVARK_DATABASE_URL']!)).toEqual([])
  })

  test('rollback is refused before anything runs where a revision could not be rolled back', async () => {
    await using pair = await createPair()
    const folder = await pair.addRevision('alpha', { id: third, message: 'one way', down: null })

    const ended = await pair.migrate('upgrade', '--on-failure', 'rollback')

    expectFailure(ended, 3, `alpha: ${third} "one way" could not be rolled back`, `write ${folder}/down.sql`)
    await pair.expectUnchanged()
    expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  })
})

describe('SQL that is refused before anything runs anywhere', () => {
  test.each([
    ['begins a transaction', 'begin;\ncreate table kept ();\n', 3, 'begins or ends a transaction of its own', 1],
    ['commits', 'create table kept ();\ncommit;\n', 3, 'begins or ends a transaction of its own', 2],
    ['rolls back', 'create table kept ();\n\nROLLBACK;\n', 3, 'begins or ends a transaction of its own', 3],
    ['copies from the terminal', 'select 1;\ncopy a1 from stdin;\n', 2, 'insert into … values', 2],
    ['leaves a string open', `select 1;\nselect 'open;\n`, 2, 'string that begins in this line is never closed', 2],
    ['leaves a body open', 'create function f() as $$\nselect 1;\n', 2, 'dollar quote that begins in this line', 1],
    ['leaves a comment open', 'select 1; /* open\n', 2, 'comment that begins in this line is never closed', 1],
  ] as const)('a file that %s', async (_, sql, exitCode, text, line) => {
    await using pair = await createPair()
    const folder = await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', up: sql })

    expectFailure(await pair.migrate('upgrade'), exitCode, `beta: ${folder}/migration.sql:${line}: `, text)
    expectFailure(await pair.migrate('check', '--offline'), 4, `${folder}/migration.sql:${line}: `)
    await pair.expectUnchanged()
  })

  test('what cannot run in a transaction is refused before anything ran, and told how to run', async () => {
    const { pair, file } = await createPairWith('create index concurrently a1_id on a1 (id);\n')
    await using _ = pair

    expectFailure(
      await pair.migrate('upgrade'),
      3,
      `${file}:1: `,
      'does not run in a transaction',
      '"transaction": "none"',
    )
    expectFailure(await pair.migrate('check', '--offline'), 4, `${file}:1: `, '"transaction": "none"')
    await pair.expectUnchanged()
  })

  test('what cannot run in a transaction without its text telling fails, and leaves nothing behind', async () => {
    const { pair, file } = await createPairWith('do $$ begin create table a9 (); commit; end $$;\n')
    await using _ = pair

    expectFailure(await pair.migrate('upgrade'), 1, `${file}:1: `, '[2D000]')
    expect(await queryColumn(pair.urls.alpha, `select to_regclass('a9')`)).toEqual([null])
  })
})
