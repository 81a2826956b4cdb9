import { describe, expect, inject, it } from 'vitest'

import { exampleId, exampleScripts } from './example-plan.ts'
import { exampleRunner, problemOf, someoneWaits } from './example-runner.ts'
import type { StepEvent } from './run-plan.ts'

describe('runPlan', () => {
  it('commits each change together with the record of it', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([
      { up: 'create table one ();' },
      { up: 'create table two ();\ncreate table three ();' },
    ])

    expect(outcome).toMatchObject({
      end: { kind: 'succeeded' },
      finished: [
        { direction: 'up', revision: { id: exampleId(1) } },
        { direction: 'up', revision: { id: exampleId(2) } },
      ],
      notTried: [],
    })
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2)])
    expect(await runner.tables()).toEqual(['one', 'three', 'two'])
    const rows = await runner.connection.send(
      `select transaction.same, checksum, run, duration_ms >= 0 as lasted
from drover.applied, lateral (select applied.xmin = pg_class.xmin as same from pg_class where relname = 'one') as transaction
where revision = '${exampleId(1)}'`,
    )
    expect(rows).toEqual([
      {
        same: true,
        checksum: exampleScripts([{ up: 'create table one ();' }])[0]!.checksum,
        run: runner.run.id,
        lasted: true,
      },
    ])
  })

  it('leaves nothing of a revision that fails halfway, keeps what was before, and does not try what comes after', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([
      { up: 'create table one ()' },
      { up: 'create table two (); create table three (); select 1 / 0; create table four ()' },
      { up: 'create table five ()' },
    ])

    expect(outcome).toMatchObject({
      end: { kind: 'failed', step: { revision: { id: exampleId(2) } } },
      finished: [{ revision: { id: exampleId(1) } }],
      notTried: [{ revision: { id: exampleId(3) } }],
    })
    expect(await runner.applied()).toEqual([exampleId(1)])
    expect(await runner.tables()).toEqual(['one'])
  })

  it('reverts, and removes the record', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [
      { up: 'create table one ()', down: 'drop table one' },
      { up: 'create table two ()', down: 'drop table two' },
    ]
    await runner.upgrade(sources)

    const outcome = await runner.runScripts(exampleScripts(sources, 'down').slice(0, 1), 2)

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1)])
    expect(await runner.tables()).toEqual(['one'])
  })

  it('applies a revision without statements', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    await runner.upgrade([{ up: '-- joins two heads\n' }])

    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('runs what would be swallowed by a splitter that knows less', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = `
create table t (a int); -- it's; here
create function f() returns trigger language plpgsql as $f$ begin new.a := 1; return new; end; $f$;
create function g(a int) returns int begin atomic select case a when 1 then 2 end; select a; end;
create rule r as on insert to t do also (select 1; select 2);
insert into t values (1); /* ; */ insert into t values (2)`

    const outcome = await runner.upgrade([{ up }])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select count(*)::int as count from t')).toEqual([{ count: 2 }])
  })

  it('tells what happens, in order', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const events: StepEvent[] = []

    await runner.upgrade([{ up: 'select 1' }, { up: 'select 1 / 0' }], { onEvent: (event) => events.push(event) })

    expect(events.map((event) => [event.type, 'step' in event && event.step.revision.id])).toEqual([
      ['step-started', exampleId(1)],
      ['step-finished', exampleId(1)],
      ['step-started', exampleId(2)],
    ])
  })
})

describe('what a revision leaves behind in the session', () => {
  const left = { search_path: '', statement_timeout: '1h', lock_timeout: '1h', row_security: 'off' }
  const leaving = (role: string) =>
    Object.entries({ ...left, session_authorization: role, role })
      .map(([name, value]) => `  perform set_config('${name}', '${value}', false);\n`)
      .join('')

  it.each([
    ['does not reach the next one', (role: string) => `do $$\nbegin\n${leaving(role)}end $$`],
    [
      'does not reach the next one, even where it is deferred to the commit',
      (role: string) => `create function leave() returns trigger language plpgsql as $$
begin
${leaving(role)}  return null;
end $$;
create table leaving ();
create constraint trigger leave after insert on leaving deferrable initially deferred for each row execute function leave();
insert into leaving default values`,
    ],
  ])('%s', async (_, leave) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const role = `drover test ${runner.database.url.database}`
    const settings = `select current_setting('search_path') || '|' || current_user || '|' || session_user || '|'
  || current_setting('statement_timeout') || '|' || current_setting('lock_timeout') || '|' || current_setting('row_security')`

    const outcome = await runner.upgrade(
      [
        { up: `create table seen as ${settings} as settings` },
        { up: `create role "${role}" login; ${leave(role)}` },
        { up: `insert into seen ${settings}` },
      ],
      { lockTimeoutMs: 250, statementTimeoutMs: 5_000 },
    )
    await runner.connection.send(`drop role "${role}"`)

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    const rows = await runner.connection.send('select distinct settings from public.seen')
    const { user } = runner.database.url
    expect(rows).toEqual([
      { settings: expect.stringMatching(new RegExp(`public\\|${user}\\|${user}\\|5s\\|250ms\\|on$`)) },
    ])
  })
})

describe('an object that somebody else is making or changing', () => {
  it.each([
    ['a schema', 'create schema if not exists common'],
    ['a row of the catalogue', 'grant usage on schema public to public'],
  ])('is tried again when they are through, however few attempts a lock is worth: %s', async (_, up) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const other = runner.database.connect()
    await other.send(`begin; ${up}`)
    const events: StepEvent[] = []

    const options = { lockAttempts: 1, lockTimeoutMs: 60_000, onEvent: (event: StepEvent) => events.push(event) }
    const running = runner.upgrade([{ up }], options)
    await someoneWaits(runner)
    await other.send('commit')

    expect((await running).end).toEqual({ kind: 'succeeded' })
    expect(events.filter(({ type }) => type === 'step-retried')).toMatchObject([{ attempt: 1, reason: 'conflict' }])
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('fails in the end where it is there for good', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = `insert into pg_catalog.pg_namespace (oid, nspname, nspowner) select 1, nspname, nspowner from pg_namespace limit 1`

    const problem = problemOf(await runner.upgrade([{ up }]))

    expect(problem).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate: '23505' })
  })
})

describe('a lock that somebody else holds', () => {
  it('is tried for again until it is free', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('create table public.busy ()')
    const blocker = runner.database.connect()
    await blocker.send('begin; lock table public.busy')
    const events: StepEvent[] = []
    const released = Promise.withResolvers<unknown>()

    const outcome = await runner.upgrade([{ up: 'create table one (); alter table busy add a int' }], {
      onEvent: (event) => {
        events.push(event)
        if (event.type === 'step-retried') released.resolve(blocker.send('commit'))
      },
    })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    await released.promise
    expect(events[1]).toMatchObject({ type: 'step-retried', attempt: 1, reason: 'lock-timeout' })
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('is given up when the run is told to stop, and nothing has happened', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('create table public.busy ()')
    const blocker = runner.database.connect()
    await blocker.send('begin; lock table public.busy')
    const abort = new AbortController()

    const outcome = await runner.upgrade([{ up: 'create table one (); drop table busy' }], {
      signal: abort.signal,
      onEvent: (event) => event.type === 'step-retried' && abort.abort(),
    })
    await blocker.send('rollback')

    expect(outcome).toMatchObject({
      end: { kind: 'interrupted' },
      finished: [],
      notTried: [{ revision: { id: exampleId(1) } }],
    })
    expect(await runner.tables()).toEqual(['busy'])
  })

  it('is waited for when another run is in the middle of a revision', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const blocker = runner.database.connect()
    await blocker.send(`begin; select pg_advisory_xact_lock(hashtextextended('drover/main/', 0))`)
    const reasons: string[] = []
    const released = Promise.withResolvers<unknown>()

    const outcome = await runner.upgrade([{ up: 'create table one ()' }], {
      onEvent: (event) => {
        if (event.type !== 'step-retried') return
        reasons.push(event.reason)
        released.resolve(blocker.send('commit'))
      },
    })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    await released.promise
    expect(reasons[0]).toBe('busy')
  })
})

describe('a run that is told to stop', () => {
  it('finishes the revision that is running, and begins no other', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const abort = new AbortController()

    const outcome = await runner.upgrade([{ up: 'create table one ()' }, { up: 'create table two ()' }], {
      signal: abort.signal,
      onEvent: () => abort.abort(),
    })

    expect(outcome).toMatchObject({
      end: { kind: 'interrupted' },
      finished: [{ revision: { id: exampleId(1) } }],
      notTried: [{ revision: { id: exampleId(2) } }],
    })
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('begins nothing when it was told before', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([{ up: 'create table one ()' }], { signal: AbortSignal.abort() })

    expect(outcome).toMatchObject({
      end: { kind: 'interrupted' },
      finished: [],
      notTried: [{ revision: { id: exampleId(1) } }],
    })
    expect(await runner.tables()).toEqual([])
  })
})

describe('a connection that is lost', () => {
  it('ends the run, and nothing of the revision stays', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([
      { up: 'create table one (); select pg_terminate_backend(pg_backend_pid())' },
      { up: 'select 1' },
    ])

    expect(problemOf(outcome)).toMatchObject({ code: 'CONNECTION_LOST', revision: exampleId(1) })
    expect(outcome.notTried).toHaveLength(1)
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })
})
