import postgres from 'postgres'
import { expect, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { createPair, expectFailure } from './harness/pair.ts'
import { hasStore, query, readApplied, readRecords } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const

test('a run that is taken its database away ends behind what it is in the middle of, and the next applies the rest once', async () => {
  await using workspace = await createLogged()
  await using gate = await closeGate(workspace.url)
  await workspace.addLogged({ [ids[1]]: gate.sql })
  const first = workspace.start(['upgrade', '--verbose'])
  await first.waitFor(gate.notice)

  const released = await workspace.migrate('lock', 'release', '-d', 'main')
  expect(released).toMatchObject({ exitCode: 0 })
  expect(released.stderr).toMatch(
    new RegExp(`main: will take it away from "upgrade" of .+, process ${first.pid}, since `),
  )
  expect(released.stdout).toMatch(/^main: released\n {2}process \d+ of the server is still in the middle of a revision/)
  const second = workspace.start(['upgrade'])
  await second.waitFor('waiting for another run')
  await gate.open()

  const lost = await first.ended
  expectFailure(lost, 1, 'this run no longer holds the database', 'next: see who holds it now')
  expect(lost.stderr).toContain('pnpm migrate lock status -d main')
  expect(await second.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(workspace.url)).toEqual(ids)
  expect(await query(workspace.url, 'select command, outcome from drover.run order by started_at')).toEqual([
    { command: 'upgrade', outcome: 'failed' },
    { command: 'lock release', outcome: 'succeeded' },
    { command: 'upgrade', outcome: 'succeeded' },
  ])
})

test('a run that is taken its database away while an index is made leaves it half done, and the next goes on with it', async () => {
  await using workspace = await createLogged()
  await workspace.addRevision('main', { id: ids[0], up: 'create table users (name text);\n' })
  const up = `create index concurrently on_name on users (name);\n${logEntry('behind it')}`
  await workspace.addRevision('main', { id: ids[1], transaction: 'none', up })
  await workspace.migrate('upgrade', '+1')
  await using old = await openTransaction(workspace.url, `insert into users values ('a')`)
  const first = workspace.start(['upgrade'])
  await first.waitFor('waiting for writers before build')

  const released = await workspace.migrate('lock', 'release')
  expect(released).toMatchObject({ exitCode: 0 })
  expect(released.stderr).toContain('a statement outside a transaction goes on without it')
  expectFailure(await workspace.migrate('upgrade', '--resume'), 3, 'the server is still working on the next one')
  await old[Symbol.asyncDispose]()

  expectFailure(await first.ended, 1, 'was stopped: this run no longer holds the database')
  expect(await workspace.migrate('upgrade', '--resume')).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(['behind it'])
  expect(await readApplied(workspace.url)).toEqual(ids.slice(0, 2))
})

test('the status names who holds each of several databases, what is under way, and what is free or cannot be reached', async () => {
  await using workspace = await createLogged()
  await using gate = await closeGate(workspace.url)
  await workspace.addLogged({ [ids[0]]: gate.sql })
  const untouched = await workspace.addDatabase('other')
  await workspace.addDatabase('gone', { create: false })
  const running = workspace.start(['upgrade', '--verbose', '-d', 'main'])
  await running.waitFor(gate.notice)

  const status = await workspace.migrate('lock', 'status')
  expect(status.stdout).toMatch(
    new RegExp(`^main +held +by "upgrade" of .+ on .+, process ${running.pid}, since \\d{4}-`, 'm'),
  )
  expect(status.stdout).toMatch(/^ +as user "\w+" of the database, heard of \d+.* ago, expires in \d+/m)
  expect(status.stdout).toMatch(/^ +in the middle of a transaction: process \d+ of the server$/m)
  expect(status.stdout).toMatch(/^other +free$/m)
  expect(status.stdout).toMatch(/^gone +cannot be read$/m)
  expect(status.exitCode).toBe(2)
  expect(status.stderr).toContain('error: gone: ')

  const { databases } = (await workspace.migrate('lock', 'status', '-d', 'main,other', '--json')).json()
  expect(databases).toEqual([
    {
      name: 'main',
      state: 'held',
      holder: {
        osUser: expect.any(String),
        host: expect.any(String),
        pid: running.pid,
        command: 'upgrade',
        since: expect.stringMatching(/^\d{4}-.*Z$/),
        databaseUser: expect.any(String),
        run: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      heartbeatAgeMs: expect.any(Number),
      expiresInMs: expect.any(Number),
      transactionPid: expect.any(Number),
    },
    { name: 'other', state: 'free' },
  ])
  expect(await hasStore(untouched)).toBe(false)
  await gate.open()
  expect(await running.ended).toMatchObject({ exitCode: 0 })
  expect((await workspace.migrate('lock', 'status', '-d', 'main')).stdout).toMatch(/^main +free\n$/)
})

test('what is free has nothing to release, and nothing is written for it', async () => {
  await using workspace = await createLogged()
  await workspace.addLogged()

  for (const words of [[], ['--yes']]) {
    const released = await workspace.migrate('lock', 'release', ...words)
    expect(released).toMatchObject({ exitCode: 0, stdout: 'main: free, nothing to release\n' })
  }
  expect(await hasStore(workspace.url)).toBe(false)
  await workspace.migrate('upgrade')
  const before = await readRecords(workspace.url)
  expect((await workspace.migrate('lock', 'release', '--json')).json().databases).toEqual([
    { name: 'main', state: 'free', status: 'nothing-to-do' },
  ])
  expect(await readRecords(workspace.url)).toEqual(before)
})

test('a protected database is taken away from its holder with --yes alone', async () => {
  await using workspace = await createLogged()
  await workspace.addLogged()
  await workspace.migrate('upgrade')
  await workspace.write(
    'databases/main/database.ts',
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: 'main', after: [], protected: true })\n`,
  )
  await query(workspace.url, `update drover.lease set expires_at = clock_timestamp() + interval '1 minute'`)

  expectFailure(await workspace.migrate('lock', 'release'), 3, 'main: the database is protected: nothing was changed')
  expect((await workspace.migrate('lock', 'status')).stdout).toMatch(/^main +held/)
  expect(await workspace.migrate('lock', 'release', '--yes')).toMatchObject({ exitCode: 0 })
  expect((await workspace.migrate('lock', 'status')).stdout).toMatch(/^main +free/)
})

test('which of several databases is released has to be said, and no other word is a thing to do', async () => {
  await using pair = await createPair()

  expectFailure(await pair.migrate('lock', 'release'), 2, 'the lock of which database is to be released is not said')
  expectFailure(await pair.migrate('lock', 'steal'), 2, '"steal" is nothing that is done to a lock')
  await pair.expectUnchanged()
})

test('a lease row that somebody has locked is not waited for', async () => {
  await using workspace = await createLogged()
  await workspace.addLogged()
  await workspace.migrate('upgrade')
  await query(workspace.url, `update drover.lease set expires_at = clock_timestamp() + interval '1 minute'`)
  await using locked = await openTransaction(workspace.url, 'select from drover.lease for update')

  expectFailure(
    await workspace.migrate('lock', 'release'),
    3,
    'main: the lease was not released: somebody else has locked its row',
  )
  await locked[Symbol.asyncDispose]()
  expect(await workspace.migrate('lock', 'release')).toMatchObject({ exitCode: 0 })
})

test('a clock of the server that jumps ahead in mid-run makes a lease expire, and no revision run twice', async () => {
  await using workspace = await createLogged()
  await using gate = await closeGate(workspace.url)
  await workspace.addLogged({ [ids[1]]: gate.sql })
  const first = workspace.start(['upgrade', '--verbose'])
  await first.waitFor(gate.notice)
  const second = workspace.start(['upgrade'])
  await second.waitFor('waiting for another run')
  const jump = `heartbeat_at = heartbeat_at - interval '1 hour', expires_at = expires_at - interval '1 hour'`
  await query(workspace.url, `update drover.lease set ${jump}`)
  await gate.open()

  // Whoever comes first goes on: the first run, whose lease nobody has taken yet, or the second.
  const lost = (await first.ended).exitCode === 1
  expect((await first.ended).stderr.includes('this run no longer holds the database')).toBe(lost)
  expect(await second.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
  expect(await readApplied(workspace.url)).toEqual(ids)
})

test('a lease whose run has not been heard of is shown as one that the next run takes over', async () => {
  await using workspace = await createLogged()
  await workspace.addLogged()
  await workspace.migrate('upgrade', '+1')
  await query(
    workspace.url,
    `update drover.lease set heartbeat_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '1 hour'`,
  )

  expect((await workspace.migrate('lock', 'status')).stdout).toMatch(
    /^main +expired +by .+\n.+ heard of 60 min \d+ s ago: the next run takes it over$/m,
  )
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
})

test('a lease of a dead run that lies in the future after the clock was set back is shown, and can be released', async () => {
  await using workspace = await createLogged()
  await workspace.addLogged()
  await workspace.migrate('upgrade', '+1')
  await query(
    workspace.url,
    `update drover.lease set heartbeat_at = clock_timestamp() + interval '1 hour', expires_at = clock_timestamp() + interval '1 hour'`,
  )

  const { databases } = (await workspace.migrate('lock', 'status', '--json')).json()
  expect(databases).toMatchObject([{ state: 'held', heartbeatAgeMs: 0 }])
  expect(databases[0].expiresInMs).toBeGreaterThan(3_500_000)
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 3 })
  expect(await workspace.migrate('lock', 'release')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
})

/** A transaction that is left open. */
async function openTransaction(url: string, statement: string): Promise<AsyncDisposable> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await sql.unsafe(`begin; ${statement}`).simple()
  return { [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }) }
}

/** A workspace with one database, whose revisions write down that they ran. */
async function createLogged(): Promise<
  TestWorkspace & {
    readonly url: string
    /** Adds three revisions, some with SQL before that. */
    addLogged(before?: Readonly<Record<string, string>>): Promise<void>
  }
> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await createLog(url)
  return {
    ...workspace,
    url,
    addLogged: async (before = {}) => {
      for (const id of ids) {
        await workspace.addRevision('main', { id, up: `${before[id] ?? ''}${logEntry(`up ${id}`)}` })
      }
    },
  }
}
