import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import postgres from 'postgres'
import { expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { query, queryColumn, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002'] as const
const name = `${ids[1]} "index users"`

interface Users extends TestWorkspace {
  readonly url: string
  readonly folder: string
}

/** A table with an unwelcome row twice, and a revision that makes a unique index on it concurrently, behind another statement or not. */
async function createUsers(up?: string): Promise<Users> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: ids[0],
    message: 'add users',
    up: `create table users (name text);\ninsert into users values ('a'), ('a');\n`,
    down: 'drop table users;\n',
  })
  const folder = await workspace.addRevision('main', {
    id: ids[1],
    message: 'index users',
    transaction: 'none',
    up:
      up ??
      'create table before_it ();\ncreate unique index concurrently users_name on users (name);\ncreate table after_it ();\n',
    down: 'drop table if exists after_it;\ndrop table users;\nselect 1 / 0;\n',
  })
  return { ...workspace, url, folder }
}

test('a half-done upgrade is forgotten: its invalid index is dropped, what stays is said, and so is the way on', async () => {
  await using workspace = await createUsers()
  const failed = await workspace.migrate('upgrade')
  expectFailure(failed, 1, 'or forget that it was begun with: pnpm migrate upgrade -d main --abandon')
  expectFailure(
    await workspace.migrate('upgrade'),
    3,
    '--resume; or forget that it was begun with: pnpm migrate upgrade -d main --abandon',
  )

  const planned = await workspace.migrate('upgrade', '--abandon', '--dry-run')
  expect(planned).toMatchObject({ exitCode: 0 })
  expect(planned.stdout).toContain(`main: would abandon ${name}, which then counts as not applied\n`)
  expect(planned.stdout).toContain('  drops the invalid index public.users_name\n')
  expect(await validity(workspace.url)).toEqual([false])

  const abandoned = await workspace.migrate('upgrade', '-d', 'main', '--abandon')
  expect(abandoned).toMatchObject({ exitCode: 0 })
  expect(abandoned.stderr).toContain(`main: will abandon ${name}`)
  expect(abandoned.stdout).toBe(
    [
      `main: abandoned ${name}, which counts as not applied now`,
      '  the invalid index public.users_name was dropped',
      '  1 of 3 statements is done and stays:',
      '    create table before_it ()',
      '  not done: create unique index concurrently users_name on users (name)',
      '',
    ].join('\n'),
  )
  expect(abandoned.stderr).toContain(
    `warning: main: the schema is between two revisions: 1 of 3 statements of ${name} stays`,
  )
  expect(abandoned.stderr).toContain('then: pnpm migrate upgrade -d main')
  expect(await validity(workspace.url)).toEqual([])
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
  expect(await query(workspace.url, 'select command, outcome from drover.run order by started_at')).toEqual([
    { command: 'upgrade', outcome: 'failed' },
    { command: 'upgrade --abandon', outcome: 'succeeded' },
  ])

  await query(workspace.url, 'drop table before_it; delete from users')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await workspace.migrate('upgrade', '--abandon')).toMatchObject({
    exitCode: 0,
    stdout: 'no revision is half done: nothing to abandon\n',
  })
})

test('what was begun and has done nothing leaves nothing, and is simply run again', async () => {
  await using workspace = await createUsers('create unique index concurrently users_name on users (name);\n')
  await workspace.migrate('upgrade')
  expect(await validity(workspace.url)).toEqual([false])

  const abandoned = await workspace.migrate('upgrade', '--abandon', '--json')

  expect(abandoned.json()).toMatchObject({
    ok: true,
    databases: [
      {
        name: 'main',
        targets: [
          {
            current: [ids[0]],
            pending: [ids[1]],
            steps: [{ direction: 'up', revision: ids[1], message: 'index users', status: 'abandoned', kept: [] }],
          },
        ],
      },
    ],
  })
  expect(abandoned.json().warnings).toBeUndefined()
  expect(await validity(workspace.url)).toEqual([])
  await query(workspace.url, 'delete from users')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
})

test('a half-done downgrade is forgotten by downgrade --abandon alone, and counts as applied again', async () => {
  await using workspace = await createUsers('create table after_it ();\n')
  await workspace.migrate('upgrade')
  expect(await workspace.migrate('downgrade')).toMatchObject({ exitCode: 1 })
  await query(workspace.url, 'create table users (name text)')

  expectFailure(await workspace.migrate('upgrade', '--abandon'), 3, 'is half reverted: 2 of 3 statements are done')
  const abandoned = await workspace.migrate('downgrade', '--abandon')

  expect(abandoned).toMatchObject({ exitCode: 0 })
  expect(abandoned.stdout).toContain('which counts as applied now')
  expect(abandoned.stdout).toContain('    drop table if exists after_it\n    drop table users\n')
  expect(abandoned.stderr).toContain('then: pnpm migrate downgrade -d main')
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect((await workspace.migrate('current')).stdout).toContain('up to date')
})

test('nothing is abandoned while the server is still at it, and what it finished on its own is done and stays', async () => {
  await using workspace = await createUsers('create index concurrently users_name on users (name);\nselect 1;\n')
  await workspace.migrate('upgrade', '+1')
  const old = await openTransaction(workspace.url)
  const running = workspace.start(['upgrade'])
  while ((await query(workspace.url, `select from pg_stat_activity where ${building}`)).length === 0);
  running.kill('SIGKILL')
  await running.ended
  await query(workspace.url, `update drover.lease set expires_at = '-infinity'`)

  expectFailure(
    await workspace.migrate('upgrade', '--abandon'),
    3,
    '0 of 2 statements are done, and the server is still working on the next one (process ',
  )
  await old[Symbol.asyncDispose]()
  while ((await query(workspace.url, `select from pg_stat_activity where ${building}`)).length > 0);
  const abandoned = await workspace.migrate('upgrade', '--abandon')

  expect(abandoned).toMatchObject({ exitCode: 0 })
  expect(abandoned.stdout).toContain(
    '  1 of 2 statements is done and stays:\n    create index concurrently users_name on users (name)\n',
  )
  expect(await validity(workspace.url)).toEqual([true])
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
})

test('a revision whose file was edited, or is gone, can still be abandoned', async () => {
  await using workspace = await createUsers()
  await workspace.migrate('upgrade')
  await rm(join(workspace.root, workspace.folder), { recursive: true })

  const abandoned = await workspace.migrate('upgrade', '--abandon')

  expect(abandoned).toMatchObject({ exitCode: 0 })
  expect(abandoned.stdout).toContain(`${ids[1]} (its folder is missing)`)
  expect(abandoned.stdout).toContain('1 of 3 statements is done and stays, which its file no longer tells')
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
  expect(await validity(workspace.url)).toEqual([])
})

test('a revision that a run is at right now is not abandoned, and the run goes on undisturbed', async () => {
  await using workspace = await createUsers('create index concurrently users_name on users (name);\nselect 1;\n')
  await workspace.migrate('upgrade', '+1')
  const old = await openTransaction(workspace.url)
  const running = workspace.start(['upgrade'])
  while ((await query(workspace.url, `select from pg_stat_activity where ${building}`)).length === 0);

  expectFailure(await workspace.migrate('upgrade', '--abandon'), 3, 'the server is still working')
  await old[Symbol.asyncDispose]()

  expect(await running.ended).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.url)).toEqual(ids)
})

test('a protected database is left alone without --yes, and a target is for another command', async () => {
  await using workspace = await createUsers()
  await workspace.migrate('upgrade')
  await workspace.write(
    'databases/main/database.ts',
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: 'main', after: [], protected: true })\n`,
  )

  expectFailure(await workspace.migrate('upgrade', '--abandon'), 3, 'the database is protected: nothing was changed')
  expectFailure(await workspace.migrate('upgrade', 'head', '--abandon'), 2, 'the target "head" is given together')
  expectFailure(await workspace.migrate('upgrade', '--resume', '--abandon'), 2)
  expect(await validity(workspace.url)).toEqual([false])
  expect(await workspace.migrate('upgrade', '--abandon', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await validity(workspace.url)).toEqual([])
})

const building = `datname = current_database() and state = 'active' and wait_event_type = 'Lock' and query like 'create index%'`

/** Whether the index is valid; nothing when it is not there. */
async function validity(url: string): Promise<readonly unknown[]> {
  return queryColumn(url, `select indisvalid from pg_index where indexrelid = to_regclass('users_name')`)
}

/** A transaction that has written to the table, which CREATE INDEX CONCURRENTLY waits for, until it is disposed of. */
async function openTransaction(url: string): Promise<AsyncDisposable> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await sql.unsafe(`begin; insert into users values ('from before')`).simple()
  return { [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) }
}
