import { createThrowawayDatabase } from '@drover/server'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { findPgBouncer, type PgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const
const program = findPgBouncer()
let bouncer: PgBouncer

beforeAll(async () => {
  if (program !== undefined) bouncer = await startPgBouncer(program, inject('serverUrl'))
})

afterAll(async () => {
  await bouncer?.[Symbol.asyncDispose]()
})

beforeEach(({ skip }) => {
  skip(program === undefined, 'PgBouncer is not installed (Debian: apt-get install pgbouncer)')
})

test('every command that goes to a database goes there over a pooler', async () => {
  await using workspace = await createPooled()
  await workspace.logRevisions()

  expect((await workspace.migrate('plan')).stdout).toContain('main: 3 revisions to apply')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect((await workspace.migrate('current')).stdout).toBe(`main  ${ids[2]} (head)  up to date\n`)
  expect(await workspace.migrate('downgrade', '-2', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('stamp', 'head', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
  expect((await workspace.migrate('upgrade')).stdout).toContain('nothing to do')

  expect(await readLog(workspace.url)).toEqual([
    ...ids.map((id) => `up ${id}`),
    ...ids
      .slice(1)
      .toReversed()
      .map((id) => `down ${id}`),
  ])
  expect(await readApplied(workspace.url)).toHaveLength(3)
})

test('two upgrades at once over a pooler apply every revision once', async () => {
  await using workspace = await createPooled()
  await using gate = await closeGate(workspace.url)
  await workspace.logRevisions({ [ids[1]]: gate.sql })

  const running = [workspace.start(['upgrade', '--verbose']), workspace.start(['upgrade', '--verbose'])]
  await Promise.all(running.map((one) => one.waitFor('waiting ')))
  await gate.open()
  const ended = await Promise.all(running.map((one) => one.ended))

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(ended.filter(({ stdout }) => stdout.includes('done by another run'))).toHaveLength(1)
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await readOutcomes(workspace.url)).toEqual(['succeeded'])
})

test('a statement that fails over a pooler undoes its revision, is shown with its line, and is gone on from when it is mended', async () => {
  await using workspace = await createPooled()
  const [, folder] = await workspace.logRevisions({ [ids[1]]: 'create table half ();\nselect 1 / 0;\n' })

  const failed = await workspace.migrate('upgrade')

  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain(`${folder}/migration.sql:2: division by zero`)
  expect(await readApplied(workspace.url)).toEqual([ids[0]])
  expect(await queryColumn(workspace.url, `select to_regclass('half')::text`)).toEqual([null])

  await workspace.write(`${folder}/migration.sql`, logEntry(`up ${ids[1]}`))
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
})

test('an upgrade over a pooler that was killed is gone on with by the next, and nothing runs twice', async () => {
  await using workspace = await createPooled()
  await using gate = await closeGate(workspace.url)
  await workspace.logRevisions({ [ids[1]]: gate.sql })
  const killed = workspace.start(['upgrade', '--verbose'])
  await killed.waitFor(gate.notice)
  killed.kill('SIGKILL')
  await killed.ended

  const next = workspace.start(['upgrade'])
  await next.waitFor('waiting ')
  await gate.open()

  expect(await next.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(workspace.url)).toEqual(ids)
})

test('who holds a database is seen over a pooler, and it can be taken away there', async () => {
  await using workspace = await createPooled()
  await using gate = await closeGate(workspace.url)
  await workspace.logRevisions({ [ids[1]]: gate.sql })
  const first = workspace.start(['upgrade', '--verbose'])
  await first.waitFor(gate.notice)

  const { databases } = (await workspace.migrate('lock', 'status', '--json')).json()
  expect(databases).toMatchObject([{ state: 'held', holder: { pid: first.pid }, transactionPid: expect.any(Number) }])
  expect(await workspace.migrate('lock', 'release')).toMatchObject({ exitCode: 0 })
  const second = workspace.start(['upgrade'])
  await second.waitFor('waiting ')
  await gate.open()

  expect(await first.ended).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('this run no longer holds the database'),
  })
  expect(await second.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
})

test('a run has one connection to each database, and none of them is left behind, nor anything in those of the pooler', async () => {
  await using workspace = await createPooled()
  const other = await createThrowawayDatabase(inject('serverUrl'))
  await using _ = other
  await using gate = await closeGate(workspace.url)
  await workspace.addDatabase('other', { after: ['main'] })
  workspace.env['OTHER_DATABASE_URL'] = bouncer.through(other.url)
  await workspace.logRevisions({
    [ids[2]]: `set search_path = pg_catalog, public;\ncreate temp table left_behind ();\nset statement_timeout = '1h';\n${gate.sql}`,
  })
  const names = [new URL(workspace.url).pathname.slice(1), other.name]
  const clients = async () =>
    (await bouncer.console('show clients')).map((row) => String(row['database'])).filter((name) => names.includes(name))

  const running = workspace.start(['upgrade', '--verbose'])
  await running.waitFor(gate.notice)
  expect((await clients()).toSorted()).toEqual(names.toSorted())
  await gate.open()
  expect(await running.ended).toMatchObject({ exitCode: 0 })

  await expect.poll(clients).toEqual([])
  const servers = (await bouncer.console('show servers')).filter((row) => names.includes(row['database']))
  expect(servers.map((row) => row['state'])).toEqual(servers.map(() => 'idle'))
  // What somebody else gets who comes next, on the connection that the run has had.
  const [settings] = await query(
    bouncer.through(workspace.url),
    `select current_setting('search_path') as path, current_setting('statement_timeout') as statement,
      current_setting('lock_timeout') as lock, to_regclass('left_behind')::text as table, pg_backend_pid() as pid`,
  )
  expect(settings).toMatchObject({ path: '"$user", public', statement: '0', lock: '0', table: null })
  expect(servers.map((row) => row['remote_pid'])).toContain(settings!['pid'])
  expect(
    await queryColumn(
      workspace.url,
      `select pid from pg_locks where locktype = 'advisory' and pid = ${settings!['pid']}`,
    ),
  ).toEqual([])
})

test('an index is made concurrently over a pooler', async () => {
  await using workspace = await createPooled()
  await workspace.addRevision('main', {
    id: ids[0],
    up: 'create table users (name text);\n',
    down: 'drop table users;\n',
  })
  await workspace.addRevision('main', {
    id: ids[1],
    transaction: 'none',
    up: 'create index concurrently users_name on users (name);\ncreate table after_it ();\n',
    down: 'drop table after_it;\ndrop index concurrently users_name;\n',
  })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(
    await queryColumn(workspace.url, `select indisvalid from pg_index where indexrelid = 'users_name'::regclass`),
  ).toEqual([true])
  expect(await workspace.migrate('drift')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.url)).toEqual([])
})

test('a revision that needs one session outside a transaction is refused over a pooler, and runs on the server itself', async () => {
  await using workspace = await createPooled()
  await workspace.addRevision('main', {
    id: ids[0],
    up: 'create schema app;\ncreate table app.users (name text);\n',
    down: 'drop schema app cascade;\n',
  })
  await workspace.addRevision('main', {
    id: ids[1],
    transaction: 'none',
    up: 'set search_path = app;\ncreate index concurrently users_name on users (name);\n',
    down: 'drop index concurrently app.users_name;\n',
  })

  const refused = await workspace.migrate('upgrade')

  expect(refused.exitCode).toBe(3)
  expect(refused.stderr).toContain(`main: ${ids[1]} "revision ${ids[1]}" needs a direct connection`)
  expect(refused.stderr).toContain('set search_path = app')
  expect(refused.stderr).toContain('next: put the URL of the server itself into MAIN_DATABASE_URL')
  expect(await queryColumn(workspace.url, `select to_regnamespace('app')::text`)).toEqual([null])

  workspace.env['MAIN_DATABASE_URL'] = workspace.url
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  workspace.env['MAIN_DATABASE_URL'] = bouncer.through(workspace.url)
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
})

test('a start-up parameter that the pooler refuses is named, with what to do about it', async () => {
  await using workspace = await createPooled()
  await workspace.logRevisions()
  workspace.env['MAIN_DATABASE_URL'] += '?options=-c%20search_path%3Dapp'

  const refused = await workspace.migrate('current')

  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('main: the pooler at 127.0.0.1:')
  expect(refused.stderr).toContain('refused the connection: unsupported startup parameter: options')
  expect(refused.stderr).toContain('next: take it out of MAIN_DATABASE_URL, or name the server itself there')
})

/** A workspace with one database that commands reach over PgBouncer, and its own URL. */
async function createPooled(): Promise<
  TestWorkspace & {
    readonly url: string
    /** Adds three revisions that write down that they ran, some with SQL before that; returns their folders. */
    logRevisions(before?: Readonly<Record<string, string>>): Promise<readonly string[]>
  }
> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  workspace.env['MAIN_DATABASE_URL'] = bouncer.through(url)
  return {
    ...workspace,
    url,
    logRevisions: async (before = {}) => {
      await createLog(url)
      const folders: string[] = []
      for (const id of ids) {
        const files = { id, up: `${before[id] ?? ''}${logEntry(`up ${id}`)}`, down: logEntry(`down ${id}`) }
        folders.push(await workspace.addRevision('main', files))
      }
      return folders
    },
  }
}
