import postgres from 'postgres'
import { describe, expect, inject, test } from 'vitest'

import { readEntries } from './harness/entries.ts'
import { expectFailure } from './harness/pair.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { countCaught, pinned, setTraps } from './harness/traps.ts'
import { createWorkspace, type Running, type TestWorkspace } from './harness/workspace.ts'

const ids = { users: 'aaaa00000001', batches: 'aaaa00000002', after: 'aaaa00000003' } as const
const byKey = { key: 'public.users.id', size: 10, pause: '5ms' }
const update = 'update users set n = n + 1 where id > :from and id <= :to;\n'

interface Users extends TestWorkspace {
  readonly url: string
  readonly folder: string
}

/** A table of so many users, which is there already; a revision in batches that counts each of them; and one that comes after it. */
async function createUsers(count: number, batch: object = byKey, up = update): Promise<Users> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: ids.users,
    up: 'create table users (id bigint primary key, n integer not null default 0);\n',
    down: 'drop table users;\n',
  })
  await workspace.migrate('upgrade')
  await query(url, `insert into users (id) select generate_series(1, ${count}); analyze users`)
  const folder = await workspace.addRevision('main', {
    id: ids.batches,
    message: 'count users',
    phase: 'backfill',
    batch,
    up,
    down: 'update users set n = 0;\n',
  })
  await workspace.addRevision('main', {
    id: ids.after,
    message: 'drop what was',
    phase: 'contract',
    up: 'alter table users alter n drop default;\n',
    down: 'alter table users alter n set default 0;\n',
  })
  return { ...workspace, url, folder }
}

/** How many users were counted how often: everything else is a batch that was done twice, or not at all. */
async function countUsers(url: string): Promise<readonly object[]> {
  return query(url, 'select n, count(*)::int as users from users group by n order by n')
}

/** Resolves when so many batches are recorded as done. */
async function untilDone(url: string, batches: number): Promise<void> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  try {
    for (let done = 0; done < batches;) {
      const [row] = await sql`select (progress ->> 'done')::int as done from drover.applied where state = 'running'`
      done = Number(row?.['done'] ?? 0)
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Kills a run in the middle, and gives its lease back in its place: another run would wait for that to expire. */
async function kill(workspace: TestWorkspace, running: Running): Promise<void> {
  running.kill('SIGKILL')
  await running.ended
  expect(await workspace.migrate('lock', 'release', '-d', 'main', '--yes')).toMatchObject({ exitCode: 0 })
}

/** Numbers from 0 to below 1, the same ones for the same seed (Lehmer's generator). */
function randomFrom(seed: number): () => number {
  // The first numbers of small seeds are all small.
  let state = (seed * 48_271 ** 2) % 2_147_483_647
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe.each([
  ['by a key', byKey, update],
  [
    'until nothing changes',
    { until: 'unchanged', pause: '5ms' },
    'update users set n = n + 1 where id in (select id from users where n = 0 limit 10);\n',
  ],
])('batches %s', (_, batch, up) => {
  test.each([1, 2])('are killed at any moment, and gone on with by the same command: seed %i', async (seed) => {
    await using users = await createUsers(3000, batch, up)
    const random = randomFrom(seed)

    for (let done = 0, round = 0; round < 3; round += 1) {
      const running = users.start(['upgrade'])
      done += 1 + Math.floor(random() * 60)
      await untilDone(users.url, done)
      await kill(users, running)
      const left = await countUsers(users.url)
      expect(left).toMatchObject([{ n: 0 }, { n: 1 }])
      const { current, warning } = await readStanding(users)
      expect(current).toContain(`${ids.batches} is half applied`)
      expect(warning).toMatch(/half applied: \d+ batch(?:es)? with \d+ rows (?:is|are) done\n/)
      done = Number(/(\d+) batch/.exec(warning)?.[1])
    }
    const ended = await users.migrate('upgrade')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 3000 }])
    expect(await readApplied(users.url)).toEqual([ids.users, ids.batches, ids.after])
    expect((await readOutcomes(users.url)).filter((outcome) => outcome === 'lost')).toHaveLength(3)
    expect(await users.migrate('downgrade', '-2', '--yes')).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 0, users: 3000 }])
  })
})

async function readStanding(workspace: TestWorkspace): Promise<{ readonly current: string; readonly warning: string }> {
  const { stdout, stderr } = await workspace.migrate('current')
  return { current: stdout, warning: stderr }
}

test('two runs, of which one waits for the other, do every batch once', async () => {
  await using users = await createUsers(2000)
  const one = users.start(['upgrade'])
  await untilDone(users.url, 3)
  const other = users.start(['upgrade'])
  await other.waitFor('waiting for another run')

  expect(await one.ended).toMatchObject({ exitCode: 0 })
  expect(await other.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('done by another run') })
  expect(await countUsers(users.url)).toEqual([{ n: 1, users: 2000 }])
})

test('a run whose lease is taken away stops, and the one that has it goes on behind its last batch', async () => {
  await using users = await createUsers(3000)
  const one = users.start(['upgrade'])
  await untilDone(users.url, 3)
  await users.migrate('lock', 'release', '-d', 'main', '--yes')
  const other = users.start(['upgrade'])

  const [lost, done] = await Promise.all([one.ended, other.ended])

  expectFailure(lost, 1, 'no longer holds the database')
  expect(done).toMatchObject({ exitCode: 0 })
  expect(await countUsers(users.url)).toEqual([{ n: 1, users: 3000 }])
})

describe('rows that the application has locked', () => {
  test('hold up the batch that they are in, which is tried again as a whole', async () => {
    await using users = await createUsers(100)
    const session = await lockRow(users.url, 55)
    const running = users.start(['upgrade'])
    await running.waitFor(`retrying ${ids.batches} count users (somebody holds a lock that it needs`)
    expect(await countUsers(users.url)).toEqual([
      { n: 0, users: 50 },
      { n: 1, users: 50 },
    ])
    await session[Symbol.asyncDispose]()

    expect(await running.ended).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 100 }])
  })

  test('are given up, and the same command goes on when they are free', async () => {
    await using users = await createUsers(100)
    const session = await lockRow(users.url, 55)

    const ended = await users.migrate('upgrade', '--lock-attempts', '2')

    expectFailure(
      ended,
      1,
      '(batch 6 with public.users.id over 50 up to 60)',
      '5 batches with 50 rows are done and stay so: ',
      'go on with: pnpm migrate upgrade -d main --phase backfill',
    )
    await session[Symbol.asyncDispose]()
    expect(await users.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 100 }])
  })

  test('a second SIGINT cancels the batch that waits for them', async () => {
    await using users = await createUsers(100)
    await using _session = await lockRow(users.url, 55)
    const running = users.start(['upgrade', '--lock-timeout', '60s'])
    await untilDone(users.url, 5)
    await untilWaiting(users.url)

    running.kill('SIGINT')
    await running.waitFor('SIGINT: finishing')
    running.kill('SIGINT')

    expect(await running.ended).toMatchObject({ exitCode: 130, stdout: expect.stringMatching(/^main +interrupted/m) })
    expect(await countUsers(users.url)).toEqual([
      { n: 0, users: 50 },
      { n: 1, users: 50 },
    ])
  })
})

test('SIGINT finishes the batch, says how far it came, and the next run goes on there', async () => {
  await using users = await createUsers(3000)
  const running = users.start(['upgrade'])
  await untilDone(users.url, 3)

  running.kill('SIGINT')
  const ended = await running.ended

  expect(ended).toMatchObject({
    exitCode: 130,
    stdout: expect.stringMatching(/^main +interrupted: 0 revisions applied, 2 not tried$/m),
  })
  const [{ rows }] = (await query(
    users.url,
    `select progress -> 'batch' -> 'rows' as rows from drover.applied where state = 'running'`,
  )) as any
  expect(rows).toBeLessThan(3000)
  expect(ended.stderr).toContain(`${ids.batches} count users: ${rows} of about 3,000 (`)
  expect(await countUsers(users.url)).toEqual([
    { n: 0, users: 3000 - rows },
    { n: 1, users: rows },
  ])
  expect(await users.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await countUsers(users.url)).toEqual([{ n: 1, users: 3000 }])
  expect(await readOutcomes(users.url)).toEqual(['succeeded', 'interrupted', 'succeeded'])
})

test('a batch that fails is said with its range; after the repair the same command goes on', async () => {
  await using users = await createUsers(
    100,
    byKey,
    'insert into counted\n  select id from users where id > :from and id <= :to;\n',
  )
  await query(users.url, 'create table counted (id bigint unique); insert into counted values (55)')

  const failed = await users.migrate('upgrade', '--json')

  expectFailure(
    failed,
    1,
    `${users.folder}/migration.sql:1: duplicate key value`,
    '(batch 6 with public.users.id over 50 up to 60)',
    '  DETAIL: Key (id)=(55) already exists.\n  next: 5 batches with 50 rows are done and stay so: ',
    'then go on with: pnpm migrate upgrade -d main --phase backfill\n',
  )
  expect(failed.stderr).not.toContain('inline_code_block')
  expect(failed.json().error).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate: '23505', revision: ids.batches })
  expect(await queryColumn(users.url, 'select count(*)::int from counted')).toEqual([51])
  await query(users.url, 'delete from counted where id = 55')
  expect(await users.migrate('upgrade', '--phase', 'backfill')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(users.url, 'select count(*)::int from counted')).toEqual([100])
})

test('--log json has how many rows are done, of about how many', async () => {
  await using users = await createUsers(100)

  const entries = readEntries(await users.migrate('upgrade', '--log', 'json'))

  const progress = entries.filter(({ event }) => event === 'step-progress')
  expect(progress.at(-1)).toMatchObject({
    level: 'info',
    database: 'main',
    revision: ids.batches,
    done: 100,
    total: 100,
    estimated: true,
    elapsedMs: expect.any(Number),
    message: expect.stringMatching(/^main aaaa00000002 count users: 100 of about 100 \(100 %\) rows/),
  })
})

describe('half done', () => {
  test('a backfill is finished first by an upgrade that asks for its contract', async () => {
    await using users = await createHalfDone()

    expect((await users.migrate('plan', '--phase', 'contract')).stdout).toMatch(
      /^ {2}1\. aaaa00000002 count users \(backfill, in batches\)\n {2}2\. aaaa00000003 drop what was \(contract\)$/m,
    )
    expect(await users.migrate('upgrade', '--phase', 'contract')).toMatchObject({ exitCode: 0 })

    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 100 }])
    expect(await readApplied(users.url)).toEqual([ids.users, ids.batches, ids.after])
  })

  test('nothing else is run before it: not what its phase or the target leaves out, and no way back', async () => {
    await using users = await createHalfDone()
    await users.addRevision('main', { id: 'bbbb00000001', parents: [ids.users], up: 'create table other ();\n' })
    await users.addRevision('main', {
      id: 'bbbb00000002',
      phase: 'contract',
      parents: ['bbbb00000001'],
      dependsOn: [ids.batches],
    })
    const state = `main: ${ids.batches} "count users" is half applied: 5 batches with 50 rows are done`
    const next = 'go on with: pnpm migrate upgrade -d main --phase backfill; or forget'

    for (const words of [
      ['upgrade', ids.after, '--phase', 'expand'],
      ['upgrade', 'bbbb00000001'],
      ['downgrade', '--yes'],
      ['stamp', 'bbbb00000001', '--yes'],
    ]) {
      expectFailure(await users.migrate(...words), 3, state, next)
    }
    expect((await users.migrate('current', '--json')).json().databases[0].targets[0].current).toEqual([ids.users])
    expectFailure(await users.migrate('upgrade', 'heads', '--phase', 'expand'), 3, state)
    expect(await users.migrate('upgrade', 'bbbb00000002')).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 100 }])
  })

  test('it can be abandoned: what was changed stays', async () => {
    await using users = await createHalfDone()

    const ended = await users.migrate('upgrade', '--abandon', '-d', 'main', '--yes')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('5 batches with 50 rows are done, which stay'),
    })
    expect(ended.stderr).toContain('the data is between two revisions')
    expect(await users.migrate('current')).toMatchObject({ stderr: '' })
    expect(await countUsers(users.url)).toEqual([
      { n: 0, users: 50 },
      { n: 1, users: 50 },
    ])
  })
})

test('what a trigger leaves behind in the session does not reach the next batch, nor the record of it', async () => {
  await using users = await createUsers(50)
  await query(
    users.url,
    `create function leave() returns trigger language plpgsql as $$ begin
  perform set_config('search_path', 'nowhere', true), set_config('role', 'pg_read_all_data', true);
  return null;
end $$;
create trigger leave after update on users execute function leave();`,
  )

  expect(await users.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await countUsers(users.url)).toEqual([{ n: 1, users: 50 }])
})

test.each([
  ['public', byKey, update],
  [
    'evil, public, pg_catalog',
    { until: 'unchanged' },
    'update public.users set n = n operator(pg_catalog.+) 1 where n operator(pg_catalog.=) 0;\n',
  ],
])('names that somebody else has laid out in the search_path %s are not called', async (path, batch, up) => {
  await using users = await createUsers(50, batch, up)
  await query(users.url, 'create schema evil')
  await setTraps(users.url)
  await query(pinned(users.url), `alter database "${new URL(users.url).pathname.slice(1)}" set search_path = ${path}`)

  expect(await users.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await countCaught(users.url)).toBe(0)
  expect(await queryColumn(pinned(users.url), 'select distinct n from public.users')).toEqual([1])
})

const pgbouncer = findPgBouncer()

test.skipIf(pgbouncer === undefined)(
  'behind a pooler that gives every transaction another session, every row is counted once',
  async () => {
    await using users = await createUsers(500)
    await using pooler = await startPgBouncer(pgbouncer!, inject('serverUrl'))
    users.env['MAIN_DATABASE_URL'] = pooler.through(users.url)
    const running = users.start(['upgrade'])
    await untilDone(users.url, 3)
    running.kill('SIGINT')
    expect(await running.ended).toMatchObject({ exitCode: 130 })

    expect(await users.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await countUsers(users.url)).toEqual([{ n: 1, users: 500 }])
  },
)

test('what is no statement for batches is refused by check, and before anything is run', async () => {
  await using users = await createUsers(10, byKey, 'update users set n = 1 where id >= :from and id <= :to;\n')

  for (const [words, exitCode] of [
    [['check', '--offline'], 4],
    [['upgrade'], 2],
  ] as const) {
    expectFailure(
      await users.migrate(...words),
      exitCode,
      `${users.folder}/migration.sql:1: ${ids.batches} "count users" runs in batches, and :from does not stand behind ">"`,
      'where "id" > :from and "id" <= :to',
    )
  }
  expect(await readApplied(users.url)).toEqual([ids.users])
})

test('what shows revisions says that they run in batches; a script for psql cannot, and one transaction neither', async () => {
  await using users = await createUsers(10)

  expect((await users.migrate('show', ids.batches)).stdout).toMatch(
    /^batches +of 10 rows by public\.users\.id, 5 ms between two$/m,
  )
  const [shown] = (await users.migrate('show', ids.batches, '--json')).json().databases
  expect(shown.revisions[0].batch).toEqual({ range: { key: 'public.users.id', size: 10 }, pauseMs: 5 })
  expect((await users.migrate('history')).stdout).toContain('count users (backfill, in batches)')
  const { databases } = (await users.migrate('plan', '--json')).json()
  expect(databases[0].targets[0].steps[0]).toMatchObject({ revision: ids.batches, batch: true })
  expect((await users.migrate('upgrade', '--dry-run')).stdout).toContain('(backfill, in batches)')
  expectFailure(await users.migrate('upgrade', '--sql'), 2, 'runs in batches', 'let Drover run this one')
  expectFailure(await users.migrate('upgrade', '--transaction', 'all'), 3, 'cannot share a transaction', 'in batches')
  expect(await users.migrate('check', '--offline')).toMatchObject({ exitCode: 0 })
})

test.each([
  [byKey, update],
  [{ until: 'unchanged' }, 'update users set n = 1 where n = 0;\n'],
])('a shadow has it as well: %j', async (batch, up) => {
  await using users = await createUsers(10, batch, up)
  await users.migrate('upgrade')

  expect(await users.migrate('drift')).toMatchObject({ exitCode: 0 })
  await query(users.url, 'alter table users add column more int')
  expect(await users.migrate('drift')).toMatchObject({ exitCode: 4 })
})

/** A session that holds the lock of one row until it is disposed of. */
async function lockRow(url: string, id: number): Promise<AsyncDisposable> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await sql.unsafe(`begin; select from users where id = ${id} for update`).simple()
  return { [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) }
}

async function untilWaiting(url: string): Promise<void> {
  const waiting = `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await queryColumn(url, waiting))[0] === 0);
}

/** Users of whom the first 50 are counted, and the 55th cannot be. */
async function createHalfDone(): Promise<Users> {
  const users = await createUsers(100)
  await query(users.url, 'alter table users add constraint fault check (id <> 55 or n = 0)')
  expect(await users.migrate('upgrade')).toMatchObject({ exitCode: 1 })
  await query(users.url, 'alter table users drop constraint fault')
  return users
}
