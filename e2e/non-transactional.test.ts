import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import postgres from 'postgres'
import { describe, expect, test } from 'vitest'

import { readEntries } from './harness/entries.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn, readApplied, readOutcomes, readRecords } from './harness/query.ts'
import { createWorkspace, type Running, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const
const indexUsers = `${ids[1]} "index users"`

/** A table, an index on it made concurrently between two other statements, and a column. */
async function createUsers(): Promise<TestWorkspace & { readonly url: string; readonly folder: string }> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: ids[0],
    message: 'add users',
    up: 'create table users (name text);\n',
    down: 'drop table users;\n',
  })
  const folder = await workspace.addRevision('main', {
    id: ids[1],
    message: 'index users',
    transaction: 'none',
    up: 'create table before_it ();\ncreate unique index concurrently users_name on users (name);\ncreate table after_it ();\n',
    down: 'drop table after_it;\ndrop index concurrently users_name;\ndrop table before_it;\n',
  })
  await workspace.addRevision('main', {
    id: ids[2],
    message: 'add age',
    up: 'alter table users add age integer;\n',
    down: 'alter table users drop age;\n',
  })
  return { ...workspace, url, folder }
}

test('a revision outside a transaction goes up and down among others, and is told apart wherever it is shown', async () => {
  await using workspace = await createUsers()

  const planned = await workspace.migrate('plan')
  expect(planned.stdout).toContain(`2. ${ids[1]} index users (outside a transaction)`)
  expect((await workspace.migrate('upgrade', '--dry-run')).stdout).toContain('index users (outside a transaction)')
  expect((await workspace.migrate('history')).stdout).toContain('index users (outside a transaction)')
  expect((await workspace.migrate('show', ids[1])).stdout).toMatch(
    /^transaction +none: its statements run one by one$/m,
  )
  expect(await workspace.migrate('check', '--offline')).toMatchObject({ exitCode: 0 })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await validity(workspace.url)).toEqual([true])
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(workspace.url, `select tablename from pg_tables where schemaname = 'public'`)).toEqual([])
})

test('a statement that fails in the middle leaves the revision half done, which every command says, until it is gone on with', async () => {
  await using workspace = await createUsers()
  await workspace.migrate('upgrade', '+1')
  await query(workspace.url, `insert into users values ('a'), ('a')`)

  const failed = await workspace.migrate('upgrade')
  expect(failed).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain(`${workspace.folder}/migration.sql:2: could not create unique index`)
  expect(failed.stderr).toContain('1 of 3 statements are done, and the invalid index public.users_name is left')
  expect(failed.stderr).toContain('pnpm migrate upgrade -d main --resume')

  for (const words of [
    ['upgrade'],
    ['downgrade', '--yes'],
    ['plan'],
    ['stamp', 'head', '--yes'],
    ['downgrade', '--resume', '--yes'],
  ]) {
    const refused = await workspace.migrate(...words)
    expect(refused.stderr).toContain(
      `main: ${indexUsers} is half applied: 1 of 3 statements are done, and the next one has left the invalid index public.users_name`,
    )
    expect(refused.stderr).toContain('drop that index and go on with: pnpm migrate upgrade -d main --resume')
    expect(refused.exitCode).toBe(3)
  }
  expect(await workspace.migrate('check')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('half applied'),
  })
  expect(await workspace.migrate('current')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`${ids[1]} is half applied`),
    stderr: expect.stringContaining('--resume'),
  })
  expect(await workspace.migrate('current', '--check-heads')).toMatchObject({ exitCode: 4 })
  expect((await workspace.migrate('upgrade', '--json')).json()).toMatchObject({
    exitCode: 3,
    error: { code: 'HALF_DONE', database: 'main', revision: ids[1], file: `${workspace.folder}/migration.sql` },
  })

  await query(workspace.url, 'delete from users')
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await validity(workspace.url)).toEqual([true])
  expect(await readOutcomes(workspace.url)).toEqual(['succeeded', 'failed', 'succeeded'])
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })
})

test('a way back that fails in the middle is gone on with by downgrade --resume, and reverts no more than was asked', async () => {
  await using workspace = await createUsers()
  await workspace.migrate('upgrade', '+2')
  await query(workspace.url, 'drop table before_it')

  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /2 of 3 statements are done: .* is gone already, then go on with: pnpm migrate downgrade -d main --resume, or forget that it was begun with: pnpm migrate downgrade -d main --abandon$/m,
    ),
  })
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 3 })
  await query(workspace.url, 'create table before_it ()')
  expect(await workspace.migrate('downgrade', '--resume', '--yes')).toMatchObject({ exitCode: 0 })

  expect(await readApplied(workspace.url)).toEqual([ids[0]])
})

test('with --on-failure rollback, what is half done is left for a person', async () => {
  await using workspace = await createUsers()
  await workspace.write(`${workspace.folder}/migration.sql`, 'create table before_it ();\nselect 1 / 0;\n')

  const failed = await workspace.migrate('upgrade', '--on-failure', 'rollback')

  expect(failed).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('is half applied: 1 of 2 statements are done'),
  })
  expect(await query(workspace.url, 'select revision, state from drover.applied order by revision')).toEqual([
    { revision: ids[0], state: 'applied' },
    { revision: ids[1], state: 'running' },
  ])
})

test('how far a long build is, and whom it waits for, is said for people and for programs', async () => {
  for (const words of [['upgrade'], ['upgrade', '--log', 'json']]) {
    await using workspace = await createUsers()
    await workspace.migrate('upgrade', '+1')
    await using old = await openTransaction(workspace.url)

    const running = workspace.start(words)
    await running.waitFor('waiting for writers before build, 0 of 1 sessions, waits for process ')
    await old.end()

    const ended = await running.ended
    expect(ended).toMatchObject({ exitCode: 0 })
    if (words.length === 1) expect(ended.stderr).toMatch(/^main +aaaa00000002 index users: waiting for writers/m)
    else {
      expect(readEntries(ended)).toContainEqual(
        expect.objectContaining({
          event: 'step-progress',
          database: 'main',
          revision: ids[1],
          stage: 'waiting for writers before build',
          unit: 'sessions',
          done: 0,
          total: 1,
          waitsFor: expect.any(Number),
          elapsedMs: expect.any(Number),
        }),
      )
    }
  }
})

test('a second run waits for the first, which waits for an old transaction, and has nothing left to do', async () => {
  await using workspace = await createUsers()
  await workspace.migrate('upgrade', '+1')
  await using old = await openTransaction(workspace.url)
  const first = await startBuilding(workspace)

  const second = workspace.start(['upgrade'])
  await second.waitFor('waiting for another run')
  expect((await workspace.migrate('current')).stdout).toContain(
    `${ids[1]} is being applied: 1 of 3 statements are done`,
  )
  await old.end()

  expect(await first.ended).toMatchObject({ exitCode: 0 })
  expect(await second.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('done by another run') })
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await validity(workspace.url)).toEqual([true])
})

describe('after kill -9 while an index is made', () => {
  test('nobody goes on while the server is still at it, and what it finished on its own is not repeated', async () => {
    await using workspace = await createUsers()
    await workspace.migrate('upgrade', '+1')
    await using old = await openTransaction(workspace.url)
    await kill(await startBuilding(workspace), workspace.url)

    for (const words of [['upgrade'], ['upgrade', '--resume']]) {
      expect(await workspace.migrate(...words)).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(
          /1 of 3 statements are done, and the server is still working on the next one \(process \d+\)/,
        ),
      })
    }
    await old.end()
    await untilIdle(workspace.url)
    expect(await workspace.migrate('upgrade')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('and so is the next one, though it was not recorded'),
    })
    expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(workspace.url)).toEqual(ids)
    expect(await validity(workspace.url)).toEqual([true])
    expect(await readOutcomes(workspace.url)).toEqual(['succeeded', 'lost', 'succeeded'])
  })

  test('the invalid index that a crash of the server has left is made anew', async () => {
    await using workspace = await createUsers()
    await workspace.migrate('upgrade', '+1')
    await using old = await openTransaction(workspace.url)
    await kill(await startBuilding(workspace), workspace.url)
    await query(workspace.url, `select pg_terminate_backend(pid, 10000) from pg_stat_activity where ${building}`)
    await old.end()
    expect(await validity(workspace.url)).toEqual([false])

    expect(await workspace.migrate('upgrade')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('the next one has left the invalid index public.users_name'),
    })
    expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(workspace.url)).toEqual(ids)
    expect(await validity(workspace.url)).toEqual([true])
  })
})

describe.skipIf(!hasPsql)('as a script for psql', () => {
  test('it leaves what a run leaves, up and down', async () => {
    await using online = await createUsers()
    await using offline = await createUsers()
    for (const words of [['upgrade'], ['downgrade', 'base']]) {
      expect(await online.migrate(...words, '--yes')).toMatchObject({ exitCode: 0 })
      const script = await offline.migrate(...words, '--sql')
      expect(script).toMatchObject({ exitCode: 0 })
      expect(await runScript(offline.url, script.stdout)).toMatchObject({ exitCode: 0 })

      expect(await validity(offline.url)).toEqual(await validity(online.url))
      expect(await readRecords(offline.url)).toEqual(await readRecords(online.url))
    }
  })

  test('a script that stops in the middle is gone on with by a run', async () => {
    await using workspace = await createUsers()
    const script = await workspace.migrate('upgrade', '--sql')
    const broken = script.stdout.replace(
      'create table before_it ();',
      `create table before_it ();\ninsert into users values ('a'), ('a');`,
    )
    expect(await runScript(workspace.url, broken)).toMatchObject({
      stderr: expect.stringContaining('could not create unique index'),
    })
    await query(workspace.url, `delete from users; update drover.lease set expires_at = '-infinity'`)

    expect(await workspace.migrate('upgrade')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(
        '1 of 3 statements are done, and the next one has left the invalid index public.users_name',
      ),
    })
    expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(workspace.url)).toEqual(ids)
    expect(await validity(workspace.url)).toEqual([true])
  })
})

async function runScript(url: string, sql: string): ReturnType<typeof runPsql> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-script-'))
  try {
    await writeFile(join(folder, 'script.sql'), sql)
    return await runPsql(url, join(folder, 'script.sql'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Whether the index is valid; nothing when it is not there. */
async function validity(url: string): Promise<readonly unknown[]> {
  return queryColumn(url, `select indisvalid from pg_index where indexrelid = to_regclass('users_name')`)
}

const building = `datname = current_database() and state = 'active' and query like 'create unique index%'`

/** A transaction that has written to the table, which CREATE INDEX CONCURRENTLY waits for. */
async function openTransaction(url: string): Promise<AsyncDisposable & { end(): Promise<void> }> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await sql.unsafe(`begin; insert into users values ('from before')`).simple()
  return {
    end: async () => void (await sql.unsafe('commit').simple()),
    [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }),
  }
}

/** Starts an upgrade and waits until the server makes the index. */
async function startBuilding(workspace: Awaited<ReturnType<typeof createUsers>>): Promise<Running> {
  const running = workspace.start(['upgrade'])
  const waiting = `select from pg_stat_activity where ${building} and wait_event_type = 'Lock'`
  while ((await query(workspace.url, waiting)).length === 0);
  return running
}

/** Kills a run, and makes its lease one that has expired. */
async function kill(running: Running, url: string): Promise<void> {
  running.kill('SIGKILL')
  expect(await running.ended).toMatchObject({ exitCode: 137 })
  await query(url, `update drover.lease set expires_at = '-infinity'`)
}

async function untilIdle(url: string): Promise<void> {
  while ((await query(url, `select from pg_stat_activity where ${building}`)).length > 0);
}
