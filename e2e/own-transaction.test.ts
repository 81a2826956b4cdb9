import { join } from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { expectFailure } from './harness/pair.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn, readApplied, readOutcomes, readRecords } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const

interface Logged extends TestWorkspace {
  readonly url: string
  readonly folder: string
}

/** Three revisions that write down that they ran, of which the second has transactions of its own. */
async function createLogged(up: string): Promise<Logged> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await createLog(url)
  await workspace.addRevision('main', { id: ids[0], up: logEntry('first') })
  const folder = await workspace.addRevision('main', {
    id: ids[1],
    message: 'move rows',
    transaction: 'own',
    up,
    down: `begin;\n${logEntry('back')}commit;\n`,
  })
  await workspace.addRevision('main', { id: ids[2], up: logEntry('last') })
  return { ...workspace, url, folder }
}

const twoTransactions = `begin;
set transaction isolation level serializable;
${logEntry('one')}commit;
vacuum log;
begin;
${logEntry('two')}commit;
`

test('a revision with transactions of its own runs among others, up and down, and is told apart wherever it is shown', async () => {
  await using workspace = await createLogged(twoTransactions)

  expect((await workspace.migrate('plan')).stdout).toContain(`2. ${ids[1]} move rows (own transaction)`)
  expect((await workspace.migrate('show', ids[1])).stdout).toMatch(/^transaction +own: it begins and ends/m)
  expect(await workspace.migrate('check', '--offline')).toMatchObject({ exitCode: 0 })
  const upgraded = await workspace.migrate('upgrade', '--json')

  expect(upgraded).toMatchObject({ exitCode: 0 })
  expect(upgraded.stderr).toMatch(/applied +aaaa00000002 move rows \(own transaction\)/)
  expect(upgraded.json().databases[0].targets[0].steps.map(({ transaction }: any) => transaction)).toEqual([
    undefined,
    'own',
    undefined,
  ])
  expect(await readLog(workspace.url)).toEqual(['first', 'one', 'two', 'last'])
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await workspace.migrate('downgrade', '-2', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(['first', 'one', 'two', 'last', 'back'])
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
})

test('one that fails before anything of it was committed leaves nothing, not even that it was begun', async () => {
  await using workspace = await createLogged(`begin;\n${logEntry('one')}\nselect 1 / 0;\ncommit;\n`)

  expectFailure(
    await workspace.migrate('upgrade'),
    1,
    `${workspace.folder}/migration.sql:4: division by zero`,
    'nothing of this revision was kept',
  )

  expect(await readLog(workspace.url)).toEqual(['first'])
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
})

test('one that fails later is half done: it is run again as a whole, or forgotten', async () => {
  await using workspace = await createLogged(`${twoTransactions}begin;\n${logEntry('three')}select 1 / 0;\ncommit;\n`)

  const failed = await workspace.migrate('upgrade')
  expectFailure(failed, 1, 'migration.sql:11: division by zero', 'has committed before stays: ')
  expect(failed.stderr).toContain('then run all of the file again with: pnpm migrate upgrade -d main --resume')
  expectFailure(
    await workspace.migrate('upgrade'),
    3,
    'is half applied: it has transactions of its own, and which of them were committed is not recorded',
    'next: run all of it again with: pnpm migrate upgrade -d main --resume; or forget that it was begun with: ',
  )

  const abandoned = await workspace.migrate('upgrade', '--abandon')
  expect(abandoned).toMatchObject({ exitCode: 0 })
  expect(abandoned.stdout).toContain(
    '  it has transactions of its own, and which of them were committed is not recorded',
  )
  expect(abandoned.stderr).toContain('warning: main: ')
  expect(await readApplied(workspace.url)).toEqual([ids[0]])

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 1 })
  await workspace.write(`${workspace.folder}/migration.sql`, `begin;\n${logEntry('mended')}commit;\n`)
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(['first', 'one', 'two', 'one', 'two', 'mended', 'last'])
  expect(await readApplied(workspace.url)).toEqual(ids)
})

test('one that leaves its last transaction open has failed, and nothing of that transaction is kept', async () => {
  await using workspace = await createLogged(`begin;\n${logEntry('one')}`)

  expectFailure(
    await workspace.migrate('upgrade'),
    1,
    'has not ended its last transaction',
    'write "commit;" at the end of',
  )
  expect(await readLog(workspace.url)).toEqual(['first'])
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
})

test('while the server still works for a run that was killed, nobody takes over; then all of it is run again', async () => {
  const workspace = await createLogged('')
  await using _ = workspace
  await using gate = await closeGate(workspace.url)
  await workspace.write(
    `${workspace.folder}/migration.sql`,
    `begin;\n${logEntry('one')}commit;\nbegin;\n${gate.sql}${logEntry('two')}commit;\n`,
  )
  const killed = workspace.start(['upgrade', '--verbose'])
  await killed.waitFor(gate.notice)
  expect((await workspace.migrate('lock', 'status')).stdout).toMatch(/in the middle of a transaction: process \d+/)
  killed.kill('SIGKILL')
  await killed.ended
  await query(workspace.url, `update drover.lease set expires_at = '-infinity'`)

  for (const words of [['--resume'], ['--abandon'], []]) {
    expectFailure(await workspace.migrate('upgrade', ...words), 3, 'and the server is still working on')
  }
  await gate.open()
  const working = `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
  await expect.poll(() => query(workspace.url, working)).toEqual([])
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

  // The statement that the server was at has ended, and with the connection its transaction.
  expect(await readLog(workspace.url)).toEqual(['first', 'one', 'one', 'two', 'last'])
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await readOutcomes(workspace.url)).toEqual(['lost', 'succeeded'])
})

test('it shares no transaction with others, and needs the server itself', async () => {
  await using workspace = await createLogged(twoTransactions)
  expectFailure(await workspace.migrate('upgrade', '--transaction', 'all'), 3, 'cannot share a transaction with others')
  expect(await queryColumn(workspace.url, 'select entry from log')).toEqual([])
})

test('a connection that is lost at a COMMIT leaves it half done, for nobody knows whether that was carried out', async () => {
  const workspace = await createLogged('')
  await using _ = workspace
  await using gate = await closeGate(workspace.url)
  await query(
    workspace.url,
    `create function halt() returns trigger language plpgsql as $$ begin
  raise notice 'waiting at gate';
  perform pg_advisory_lock_shared(hashtext('gate'));
  return null;
end $$;
create constraint trigger halt after insert on log deferrable initially deferred for each row
when (new.entry = 'one') execute function halt()`,
  )
  await workspace.write(
    `${workspace.folder}/migration.sql`,
    `begin;\nset lock_timeout = 0;\n${logEntry('one')}commit;\n`,
  )
  const running = workspace.start(['upgrade', '--verbose'])
  await running.waitFor(gate.notice)
  const commit = `datname = current_database() and state = 'active' and query = 'commit'`
  await query(workspace.url, `select pg_terminate_backend(pid) from pg_stat_activity where ${commit}`)

  expectFailure(await running.ended, 1, 'has committed before stays: ')
  expect((await workspace.migrate('current')).stdout).toContain(`${ids[1]} is half applied`)
  await gate.open()
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.url)).toEqual(ids)
})

test.skipIf(!hasPsql)('as a script for psql it leaves what a run leaves', async () => {
  await using online = await createLogged(twoTransactions)
  await using offline = await createLogged(twoTransactions)
  for (const words of [['upgrade'], ['downgrade', 'base']]) {
    expect(await online.migrate(...words, '--yes')).toMatchObject({ exitCode: 0 })
    const script = await offline.migrate(...words, '--sql')
    await offline.write('script.sql', script.stdout)
    expect(await runPsql(offline.url, join(offline.root, 'script.sql'))).toMatchObject({ exitCode: 0 })

    expect(await readLog(offline.url)).toEqual(await readLog(online.url))
    expect(await readRecords(offline.url)).toEqual(await readRecords(online.url))
  }
})

const pgbouncer = findPgBouncer()

test.skipIf(pgbouncer === undefined)('behind a pooler it is refused before anything runs', async () => {
  await using workspace = await createLogged(twoTransactions)
  await using pooler = await startPgBouncer(pgbouncer!, inject('serverUrl'))
  workspace.env['MAIN_DATABASE_URL'] = pooler.through(workspace.url)

  expectFailure(await workspace.migrate('upgrade'), 3, 'needs a direct connection: it has transactions of its own')
  expect(await readLog(workspace.url)).toEqual([])
})

describe('what has to be declared', () => {
  test.each(['check', 'upgrade'])('%s says how, and how a mixture is split', async (command) => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    const up = 'create table t (a int);\nreindex (concurrently false) table t;\n'
    await workspace.addRevision('main', { id: ids[0], up })
    const mixed = await workspace.addRevision('main', {
      id: ids[1],
      up: 'create table u (a int);\ncreate index concurrently on u (a);\n',
    })
    const own = await workspace.addRevision('main', { id: ids[2], up: 'begin;\nselect 1;\ncommit;\n' })

    const refused = await workspace.migrate(command)

    expect(refused.exitCode).toBe(command === 'check' ? 4 : 3)
    expect(refused.stderr).toContain(`${mixed}/migration.sql:2: ${ids[1]} "revision ${ids[1]}" mixes statements`)
    expect(refused.stderr).toContain(
      'split it into 2 revisions, each with the way back of its lines: 1. line 1; 2. line 2 (create index concurrently on u (a)) with "transaction": "none". Make each of the others with: pnpm migrate revision "<message>" -d main --empty',
    )
    expect(refused.stderr).toContain(`${own}/migration.sql:1: ${ids[2]} "revision ${ids[2]}" begins or ends`)
    expect(refused.stderr).toContain(`write "transaction": "own" into ${own}/revision.json`)
    expect(refused.stderr.match(/^error: /gm)).toHaveLength(3)
    expect(await queryColumn(url, `select to_regclass('t')::text`)).toEqual([null])
  })

  test('check names the place of a syntax error', async () => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('main')
    const folder = await workspace.addRevision('main', { id: ids[0], up: 'create table t (a int);\nselct 1;\n' })

    expectFailure(
      await workspace.migrate('check', '--offline'),
      4,
      `${folder}/migration.sql:2:1: ${ids[0]} "revision ${ids[0]}" is not SQL: syntax error at or near "selct"\n    2 | selct 1;\n      | ^\n`,
    )
  })
})
