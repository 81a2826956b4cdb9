import postgres from 'postgres'
import { expect, inject, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { query, readApplied } from './harness/query.ts'
import { countCaught, pinned, setTraps } from './harness/traps.ts'

const third = 'a3a3a3a3a3a3'

/** A session of the application, in the middle of a transaction. */
interface Session extends AsyncDisposable {
  readonly pid: number
}

async function holdLock(url: string): Promise<Session> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, connection: { application_name: 'shop' } })
  const [row] = await sql`select pg_backend_pid() as pid`
  await sql.unsafe(`begin; select * from a1 where 'Sesame-7' <> ''`).simple()
  return { pid: Number(row!['pid']), [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) }
}

/** A pair with two revisions in each database, and a third in alpha that needs a lock. */
async function createPairWithThird(up = 'alter table a1 add name text;\n'): Promise<Pair> {
  const pair = await createPair()
  await pair.migrate('upgrade')
  await pair.addRevision('alpha', { id: third, message: 'third', up })
  return pair
}

test('a lock that is not to be had is given up with who holds it, for people and for programs', async () => {
  await using pair = await createPairWithThird()
  await using session = await holdLock(pair.urls.alpha)

  const ended = await pair.migrate('upgrade', '--lock-attempts', '3', '--json')

  expectFailure(
    ended,
    1,
    'migration.sql:1: canceling statement due to lock timeout [55P03]\n    1 | alter table a1 add name text;\n',
    `  in the way: process ${session.pid} "shop" of user "`,
    '    holds AccessShareLock on public.a1\n',
    `ago): begin; select * from a1 where '…' <> '…'`,
    `  next: end what has been left open, with "select pg_terminate_backend(${session.pid})"`,
  )
  const told = ended.stderr.split('\n').filter((line) => line.startsWith('alpha') && line.includes('in the way'))
  expect(told).toHaveLength(1)
  expect(ended.stderr).not.toContain('Sesame')
  expect(ended.json().error).toMatchObject({
    revision: third,
    blockers: [
      {
        pid: session.pid,
        applicationName: 'shop',
        state: 'idle in transaction',
        locks: [{ relation: 'public.a1', mode: 'AccessShareLock', granted: true }],
      },
    ],
  })
  expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
})

test('--kill-blockers-after ends who holds it idle in a transaction, and says so', async () => {
  await using pair = await createPairWithThird()
  await using session = await holdLock(pair.urls.alpha)

  const ended = await pair.migrate('upgrade', '--kill-blockers-after', '10ms', '--json')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(ended.stderr).toMatch(
    new RegExp(
      `^alpha +ended process ${session.pid} "shop" of user "\\w+": it was in the way, and idle in a transaction`,
      'm',
    ),
  )
  expect(ended.json().databases[0].targets[0].endedSessions).toMatchObject([
    { pid: session.pid, state: 'idle in transaction' },
  ])
  await expect.poll(() => query(pair.urls.alpha, `select from pg_stat_activity where pid = ${session.pid}`)).toEqual([])
  expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2, third])
})

const pgbouncer = findPgBouncer()

test.skipIf(pgbouncer === undefined)('who holds it is found behind a pooler as well', async () => {
  await using pair = await createPairWithThird()
  await using pooler = await startPgBouncer(pgbouncer!, inject('serverUrl'))
  await using session = await holdLock(pair.urls.alpha)
  pair.env['ALPHA_DATABASE_URL'] = pooler.through(pair.urls.alpha)

  const ended = await pair.migrate('upgrade', '-d', 'alpha', '--lock-attempts', '3')

  expectFailure(ended, 1, `in the way: process ${session.pid} "shop"`, 'holds AccessShareLock on public.a1')
})

test('looking for who holds it calls nothing that an ordinary user has left in the way', async () => {
  await using pair = await createPairWithThird('alter table public.a1 add name pg_catalog.int4;\n')
  await using session = await holdLock(pair.urls.alpha)
  const database = new URL(pair.urls.alpha).pathname.slice(1)
  await query(pair.urls.alpha, 'create schema evil')
  await setTraps(pair.urls.alpha)
  await query(pinned(pair.urls.alpha), `alter database "${database}" set search_path = evil, public, pg_catalog`)

  const words = ['upgrade', '-d', 'alpha', '--lock-attempts', '3', '--kill-blockers-after', '1h']
  const ended = await pair.migrate(...words)

  expectFailure(ended, 1, `in the way: process ${session.pid} "shop"`, 'holds AccessShareLock on public.a1')
  expect(await countCaught(pair.urls.alpha)).toBe(0)
})

test('a number of attempts is a number from 1', async () => {
  await using pair = await createPair()

  expectFailure(await pair.migrate('upgrade', '--lock-attempts', '0'), 2, '--lock-attempts', 'It is a number from 1')
})
