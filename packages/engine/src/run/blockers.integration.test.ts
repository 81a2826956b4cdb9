import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { serverUrl, startEmbedded, stopEmbedded } from '@drover/server'
import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { ConnectionUrl } from '../connect/connection-url.ts'
import { openConnection } from '../connect/connection.ts'
import { tryHistoryLock } from '../lease/history-lock.ts'
import { watchBlockers } from './blockers.ts'
import { exampleId } from './example-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf } from './example-runner.ts'
import type { StepEvent } from './run-plan.ts'

const change = { up: 'create table one ();\nalter table busy add b int;' }

/** Another session, in the middle of a transaction with these statements. */
async function begin(
  runner: ExampleRunner,
  statements: string,
): Promise<{ readonly session: Connection; readonly pid: number }> {
  const session = runner.database.connect()
  await session.send(`set application_name = 'web'`)
  const [row] = await session.send('select pg_backend_pid() as pid')
  await session.send(`begin; ${statements}`)
  return { session, pid: Number(row!['pid']) }
}

/** One attempt that is watched, long enough for a look on a busy machine. */
const patient = { lockAttempts: 2, lockTimeoutMs: 2000 }

/** A table to be in the way on. */
async function prepare(runner: ExampleRunner): Promise<void> {
  await runner.connection.send('create table public.busy (a int primary key); insert into public.busy values (1)')
}

const ofType = <Type extends StepEvent['type']>(events: readonly StepEvent[], type: Type) =>
  events.filter((event): event is Extract<StepEvent, { readonly type: Type }> => event.type === type)

describe('a lock that is never to be had', () => {
  it('is given up with the name of who holds it', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { pid } = await begin(runner, `select * from busy where 'Sesame-7' <> ''`)
    const events: StepEvent[] = []

    const outcome = await runner.upgrade([change], { lockAttempts: 4, onEvent: (event) => events.push(event) })

    const blocker = {
      pid,
      user: runner.database.url.user,
      applicationName: 'web',
      backendType: 'client backend',
      state: 'idle in transaction',
      queryStart: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      queryAgeMs: expect.any(Number) as number,
      transactionAgeMs: expect.any(Number) as number,
      stateAgeMs: expect.any(Number) as number,
      statement: `begin; select * from busy where '…' <> '…'`,
      hidden: false,
      locks: [{ relation: 'public.busy', mode: 'AccessShareLock', granted: true }],
    }
    expect(problemOf(outcome)).toMatchObject({
      code: 'STATEMENT_FAILED',
      sqlstate: '55P03',
      line: 2,
      hint: expect.stringContaining(`"select pg_terminate_backend(${pid})" or with --kill-blockers-after`) as string,
    })
    expect(problemOf(outcome).blockers).toEqual([blocker])
    expect(await runner.tables()).toEqual(['busy'])
    // Told once, although there were several attempts.
    expect(ofType(events, 'step-retried')).toHaveLength(3)
    expect(ofType(events, 'blockers-found')).toMatchObject([
      { step: { revision: { id: exampleId(1) } }, blockers: [{ pid, applicationName: 'web' }] },
    ])
  })

  it('is given up with what was seen in time, although the answer to that comes later', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { session, pid } = await begin(runner, 'lock table busy')
    const waiting = runner.database.connect()
    const place = { history: 'main' }
    const got = waiting.send(`begin; select ${tryHistoryLock(place)}; select from busy; rollback`)
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await runner.connection.send(waits)).length === 0);
    await using watch = watchBlockers({ url: runner.database.url, place })

    const found = await watch.during(Promise.reject(new Error('lock timeout')))

    expect(found).toMatchObject([{ pid, applicationName: 'web' }])
    await session.send('rollback')
    await got
  })

  it('names who waits for it ahead of us, and who holds what that one waits for', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const reader = await begin(runner, 'select * from busy')
    const writer = await begin(runner, 'select 1')
    const waiting = writer.session.send('lock table busy').catch(() => undefined)

    const problem = problemOf(await runner.upgrade([change], patient))
    await reader.session.send('commit')
    await waiting

    const byPid = new Map(problem.blockers!.map((blocker) => [blocker.pid, blocker]))
    expect(new Set(byPid.keys())).toEqual(new Set([reader.pid, writer.pid]))
    expect(byPid.get(reader.pid)!.locks).toEqual([{ relation: 'public.busy', mode: 'AccessShareLock', granted: true }])
    expect(byPid.get(writer.pid)).toMatchObject({
      state: 'active',
      locks: [{ relation: 'public.busy', mode: 'AccessExclusiveLock', granted: false }],
    })
  })

  it('names who has changed a row that is to be changed', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { pid } = await begin(runner, 'update busy set a = a')

    const problem = problemOf(await runner.upgrade([{ up: 'update busy set a = 2' }], patient))

    expect(problem.blockers).toMatchObject([
      { pid, locks: [{ relation: 'public.busy', mode: 'RowExclusiveLock', granted: true }] },
    ])
  })

  it('names who is in the way of a statement of a revision outside a transaction', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { pid } = await begin(runner, 'select * from busy')

    const problem = problemOf(await runner.upgrade([{ ...change, transaction: 'none' }], patient))

    expect(problem).toMatchObject({ line: 2, blockers: [{ pid }] })
    expect(problem.hint).toMatch(
      /^1 of 2 statements are done: end what has been left open, .* --resume, or forget .* --abandon$/,
    )
  })

  it('is as it is where nobody may look', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    await begin(runner, 'select * from busy')
    // What the observer connects to is not there.
    const elsewhere = { ...runner.connection, url: ConnectionUrl.parse('postgres://x@127.0.0.1:9/x', 'the test') }

    const problem = problemOf(await runner.upgrade([change], { lockAttempts: 2, connection: elsewhere }))

    expect(problem).toMatchObject({ sqlstate: '55P03', hint: expect.stringContaining('a quieter hour') as string })
    expect(problem).not.toHaveProperty('blockers')
  })

  it('names a transaction that was prepared and forgotten, whose session is long gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-prepared-'))
    // The server may run as another user.
    await chmod(folder, 0o711)
    try {
      // Prepared transactions are off by default, and only a start switches them on.
      const first = await startEmbedded({ folder, durable: false })
      await using administrator = openConnection(ConnectionUrl.parse(serverUrl(first), 'the test'))
      await administrator.send('alter system set max_prepared_transactions = 5')
      await administrator[Symbol.asyncDispose]()
      await stopEmbedded(folder)
      const server = await startEmbedded({ folder, durable: false })
      await using runner = await exampleRunner(serverUrl(server))
      await prepare(runner)
      const { session } = await begin(runner, 'insert into busy values (2)')
      await session.send(`prepare transaction 'order 7''s'`)

      const problem = problemOf(await runner.upgrade([change], patient))
      await session.send(`rollback prepared 'order 7''s'`)

      expect(problem.blockers).toEqual([
        {
          prepared: `order 7's`,
          user: runner.database.url.user,
          transactionAgeMs: expect.any(Number) as number,
          hidden: false,
          locks: [{ relation: 'public.busy', mode: 'RowExclusiveLock', granted: true }],
        },
      ])
    } finally {
      await stopEmbedded(folder)
      await rm(folder, { recursive: true })
    }
  })
})

describe('a session that is idle in a transaction, and in the way', () => {
  it('is ended when that is asked for, and the revision goes on', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { pid } = await begin(runner, 'select * from busy')
    const events: StepEvent[] = []

    const outcome = await runner.upgrade([change], { killBlockersAfterMs: 0, onEvent: (event) => events.push(event) })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(ofType(events, 'blocker-ended')).toMatchObject([{ blocker: { pid, state: 'idle in transaction' } }])
    await expect.poll(() => runner.connection.send(`select from pg_stat_activity where pid = ${pid}`)).toEqual([])
  })

  it('is left alone while it has not been idle for so long', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    const { session } = await begin(runner, 'select * from busy')
    const events: StepEvent[] = []

    const outcome = await runner.upgrade([change], {
      killBlockersAfterMs: 3_600_000,
      lockAttempts: 2,
      onEvent: (event) => events.push(event),
    })

    expect(problemOf(outcome)).toMatchObject({ sqlstate: '55P03' })
    expect(ofType(events, 'blocker-ended')).toEqual([])
    expect(await session.send('select 1 as alive')).toEqual([{ alive: 1 }])
  })

  it('is left alone when it is not idle', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    await runner.connection.send(`select pg_advisory_lock(7)`)
    const { session } = await begin(runner, 'select * from busy')
    const working = session.send('select pg_advisory_xact_lock(7)')
    await using second = runner.database.connect()

    const outcome = await runner.upgrade([change], { ...patient, connection: second, killBlockersAfterMs: 0 })
    await runner.connection.send(`select pg_advisory_unlock(7)`)

    expect(problemOf(outcome)).toMatchObject({ sqlstate: '55P03', blockers: [{ state: 'active' }] })
    await expect(working).resolves.toHaveLength(1)
  })

  it('is not ended by who may not do so, which is said once', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await prepare(runner)
    await using migrator = await createMigrator(runner)
    const { session, pid } = await begin(runner, 'select * from busy')
    const run = async () => {
      const events: StepEvent[] = []
      const outcome = await runner.upgrade([change], {
        connection: migrator.connection,
        killBlockersAfterMs: 0,
        lockAttempts: 3,
        onEvent: (event) => events.push(event),
      })
      return { events, problem: problemOf(outcome) }
    }

    const blind = await run()
    await runner.connection.send(`grant pg_monitor to "${migrator.role}"`)
    const seeing = await run()
    await session.send('rollback')

    expect(blind.problem.blockers).toMatchObject([
      { pid, applicationName: 'web', hidden: true, locks: [{ relation: 'public.busy', mode: 'AccessShareLock' }] },
    ])
    expect(blind.problem.blockers![0]).not.toHaveProperty('state')
    expect(blind.problem.blockers![0]).not.toHaveProperty('statement')
    expect(ofType(blind.events, 'blocker-kept')).toMatchObject([
      { reason: expect.stringContaining('grant pg_monitor and pg_signal_backend') as string },
    ])
    expect(seeing.problem.blockers).toMatchObject([{ pid, hidden: false, state: 'idle in transaction' }])
    expect(ofType(seeing.events, 'blocker-kept')).toMatchObject([
      // As PostgreSQL 16 and later say it, and as those before do.
      {
        reason: expect.stringMatching(
          /^(permission denied to terminate process|must be a superuser to terminate superuser process); grant pg_signal_backend/,
        ) as string,
      },
    ])
  })
})

interface Migrator extends AsyncDisposable {
  readonly role: string
  readonly connection: Connection
}

/** A user who owns what there is, and may look at the sessions of nobody else. */
async function createMigrator({ database, connection }: ExampleRunner): Promise<Migrator> {
  const role = `migrator ${database.url.database}`
  await connection.send(`create role "${role}" login password 'Sesame-7';
alter table public.busy owner to "${role}"; grant all on schema public, drover to "${role}";
grant all on all tables in schema drover to "${role}"`)
  const { host, port, database: name } = database.url
  const url = `postgres://${encodeURIComponent(role)}:Sesame-7@${host}:${port}/${name}`
  const own = openConnection(ConnectionUrl.parse(url, 'the test'))
  return {
    role,
    connection: own,
    [Symbol.asyncDispose]: async () => {
      await own[Symbol.asyncDispose]()
      await connection.send(`reassign owned by "${role}" to current_user; drop owned by "${role}"; drop role "${role}"`)
    },
  }
}
