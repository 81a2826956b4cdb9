import { describe, expect, inject, it } from 'vitest'

import { type Connection, openConnection } from '../connect/connection.ts'
import { exampleProxy } from '../connect/example-proxy.ts'
import { exampleId, exampleScripts } from './example-plan.ts'
import { exampleRunner, problemOf } from './example-runner.ts'

const quick = (count: number) => Array.from({ length: count }, (_, index) => ({ up: `create table t${index} ()` }))

describe('quick revisions', () => {
  it('share messages, each in a transaction of its own', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const { connection, sent } = counting(runner.connection)

    const outcome = await runner.upgrade(quick(300), { connection })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(outcome.finished).toHaveLength(300)
    expect(sent()).toBeLessThan(20)
    const [row] = await runner.connection.send(
      `select count(distinct xmin::text)::int as transactions from drover.applied`,
    )
    expect(row).toEqual({ transactions: 300 })
  })

  it('wait for the disk with the last commit of a message only', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send(`alter database "${runner.database.url.database}" set synchronous_commit = on`)
    const connection = runner.database.connect()
    const setting = `select current_setting('synchronous_commit') as setting`

    await runner.upgrade(
      [
        { up: `create table alone as ${setting}` },
        { up: `create table first as ${setting}` },
        { up: `create table last as ${setting}` },
      ],
      { connection },
    )

    expect(
      await runner.connection.send(
        'select alone.setting as alone, first.setting as first, last.setting as last from alone, first, last',
      ),
    ).toEqual([{ alone: 'on', first: 'off', last: 'on' }])
  })

  it('are recorded with the time that each took itself', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const { finished } = await runner.upgrade([
      { up: 'select 1' },
      { up: 'select pg_sleep(0.2)' },
      { up: 'reset all; select 1' },
    ])

    const rows = await runner.connection.send('select duration_ms from drover.applied order by revision')
    const [, slow, fast] = rows.map((row) => Number(row['duration_ms']))
    expect(slow).toBeGreaterThanOrEqual(200)
    expect(fast).toBeGreaterThan(0)
    expect(finished.map(({ durationMs }) => durationMs).slice(1)).toEqual([slow, fast])
  })

  it('are reverted in shared messages too', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = quick(40).map((source, index) => ({ ...source, down: `drop table t${index}` }))
    await runner.upgrade(sources)
    const { connection, sent } = counting(runner.connection)

    const outcome = await runner.downgrade(sources, { connection })

    expect(outcome.finished.map(({ revision }) => revision.id)).toEqual(
      sources.map((_, index) => exampleId(sources.length - index)),
    )
    expect(sent()).toBeLessThan(10)
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })
})

describe('one of several revisions in a message', () => {
  it.each([
    ['at run time', 'create table x ();\nselect 1;\n\nselect 1 / (select 0);', 4, '22012'],
    ['when it is analysed', 'create table x ();\nselect nowhere;', 2, '42703'],
    ['when it is parsed', 'create table x ();\nselect 1;\ncreate tabel y ();', 3, '42601'],
    ['at the end of its transaction', deferred('x'), undefined, '23503'],
  ])(
    'that fails %s is named with its line, and those around it are what they should be',
    async (_, up, line, sqlstate) => {
      await using runner = await exampleRunner(inject('serverUrl'))
      const sources = quick(9).with(3, { up })

      const outcome = await runner.upgrade(sources)

      expect(problemOf(outcome)).toMatchObject({
        code: 'STATEMENT_FAILED',
        revision: exampleId(4),
        file: 'migrations/4/migration.sql',
        sqlstate,
        ...(line !== undefined && { line }),
      })
      expect(outcome.finished.map(({ revision }) => revision.id)).toEqual([1, 2, 3].map(exampleId))
      expect(outcome.notTried.map(({ revision }) => revision.id)).toEqual([5, 6, 7, 8, 9].map(exampleId))
      expect(await runner.applied()).toEqual([1, 2, 3].map(exampleId))
      expect(await runner.tables()).toEqual(['t0', 't1', 't2'])
    },
  )

  it('that cannot have a lock is tried again by itself, and the others go in', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('create table public.busy ()')
    const blocker = runner.database.connect()
    await blocker.send('begin; lock table public.busy')
    const retried: string[] = []
    const released = Promise.withResolvers<unknown>()

    const outcome = await runner.upgrade(quick(9).with(3, { up: 'alter table busy add a int' }), {
      onEvent: (event) => {
        if (event.type !== 'step-retried') return
        retried.push(event.step.revision.id)
        released.resolve(blocker.send('commit'))
      },
    })
    await released.promise

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(new Set(retried)).toEqual(new Set([exampleId(4)]))
    expect(await runner.applied()).toHaveLength(9)
  })

  it('is the last one when the run is told to stop meanwhile', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const blocker = runner.database.connect()
    await blocker.send('select pg_advisory_lock(1)')
    const abort = new AbortController()
    const sources = quick(7).with(3, { up: 'select pg_advisory_xact_lock_shared(1)' })

    const running = runner.upgrade(sources, { signal: abort.signal, lockTimeoutMs: 0 })
    await waitingFor(
      blocker,
      `select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted`,
    )
    abort.abort()
    // What stops it is a change of the token.
    await waitingFor(blocker, 'select count(*)::int as waiting from drover.lease where token > 1')
    await blocker.send('select pg_advisory_unlock(1)')
    const outcome = await running

    expect(outcome.end).toEqual({ kind: 'interrupted' })
    expect(outcome.finished.map(({ revision }) => revision.id)).toEqual([1, 2, 3, 4].map(exampleId))
    expect(await runner.applied()).toHaveLength(4)
    // The lease is still ours.
    expect(await runner.runScripts(exampleScripts(sources).slice(4), 7)).toMatchObject({ end: { kind: 'succeeded' } })
  })

  it('is undone when its statement is cancelled', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const watcher = runner.database.connect()
    const [stop, cancel] = [new AbortController(), new AbortController()]
    const sources = quick(7).with(3, { up: 'create table undone (); select pg_sleep(600)' })

    const running = runner.upgrade(sources, { signal: stop.signal, cancel: cancel.signal })
    await waitingFor(watcher, `select count(*)::int as waiting from pg_stat_activity where wait_event = 'PgSleep'`)
    stop.abort()
    cancel.abort()
    const outcome = await running

    expect(outcome.end).toEqual({ kind: 'interrupted' })
    expect(outcome.notTried.map(({ revision }) => revision.id)).toEqual([4, 5, 6, 7].map(exampleId))
    expect(await runner.tables()).toEqual(['t0', 't1', 't2'])
  })
})

describe('an answer that is lost', () => {
  it.each([1, 2, 6])('is no answer less: what %i revisions did is found out', async (count) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)
    await connection.send('select 1')
    const sources = quick(count)

    proxy.swallowAnswers()
    const running = runner.upgrade(sources, { connection })
    await waitingFor(runner.connection, `select count(*)::int as waiting from drover.applied`)
    proxy.cut()
    const outcome = await running

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(outcome.finished).toHaveLength(count)
    expect(await runner.applied()).toHaveLength(count)
  })

  it('of a message that the server is still at keeps it from beginning what comes next', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)
    const blocker = runner.database.connect()
    await blocker.send('select pg_advisory_lock(1)')
    const sources = quick(7).with(3, { up: 'select pg_advisory_xact_lock_shared(1)' })

    const running = runner.upgrade(sources, { connection, lockTimeoutMs: 0 })
    await waitingFor(
      blocker,
      `select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted`,
    )
    proxy.cut()
    await waitingFor(blocker, 'select count(*)::int as waiting from drover.lease where token > 1')
    await blocker.send('select pg_advisory_unlock(1)')
    const outcome = await running

    const applied = await runner.applied()
    expect(outcome.finished.map(({ revision }) => revision.id)).toEqual(applied)
    expect(problemOf(outcome)).toMatchObject({ code: 'CONNECTION_LOST', revision: exampleId(applied.length + 1) })
    expect(outcome.notTried).toHaveLength(7 - applied.length - 1)
  })

  it('says so when the server does not come back', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)
    await connection.send('select 1')

    const running = runner.upgrade([{ up: 'select pg_sleep(0.1)' }], {
      connection,
      lease: {
        token: '1',
        fence: () =>
          openConnection(proxy.url)
            .send('select 1')
            .then(() => undefined),
      },
    })
    await proxy[Symbol.asyncDispose]()
    const outcome = await running

    expect(problemOf(outcome)).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('could not be found out'),
    })
  }, 30_000)
})

describe('one transaction for all revisions', () => {
  it('leaves nothing when one of them fails', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade(quick(5).with(3, { up: 'create table x ();\nselect 1 / (select 0)' }), {
      transaction: 'all',
    })

    expect(problemOf(outcome)).toMatchObject({ revision: exampleId(4), line: 2, sqlstate: '22012' })
    expect(outcome.finished).toEqual([])
    expect(outcome.notTried.map(({ revision }) => revision.id)).toEqual([1, 2, 3, 5].map(exampleId))
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })

  it('is one transaction, and each revision has a row of its own', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade(quick(5), { transaction: 'all' })

    expect(outcome.finished).toHaveLength(5)
    expect(
      await runner.connection.send(
        'select count(*)::int as rows, count(distinct xmin::text)::int as transactions from drover.applied',
      ),
    ).toEqual([{ rows: 5, transactions: 1 }])
  })

  it('is tried again as a whole when one of them cannot have a lock', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('create table public.busy ()')
    const blocker = runner.database.connect()
    await blocker.send('begin; lock table public.busy')
    const released = Promise.withResolvers<unknown>()

    const outcome = await runner.upgrade(quick(4).with(2, { up: 'alter table busy add a int' }), {
      transaction: 'all',
      onEvent: (event) => event.type === 'step-retried' && released.resolve(blocker.send('commit')),
    })
    await released.promise

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toHaveLength(4)
  })
})

/** SQL that is refused no sooner than when its transaction ends. */
function deferred(name: string): string {
  return `create table ${name} (id int primary key, of int references ${name} deferrable initially deferred);
insert into ${name} values (1, 2);`
}

function counting(connection: Connection): { readonly connection: Connection; readonly sent: () => number } {
  let count = 0
  const send: Connection['send'] = (...message) => {
    count += 1
    return connection.send(...message)
  }
  return { connection: { ...connection, send }, sent: () => count }
}

async function waitingFor(connection: Connection, sql: string): Promise<void> {
  for (;;) {
    const [row] = await connection.send(sql)
    if (Number(row?.['waiting']) > 0) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
