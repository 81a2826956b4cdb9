import { type BatchProgress, DroverError } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { type Connection, openConnection } from '../connect/connection.ts'
import { exampleProxy } from '../connect/example-proxy.ts'
import { readState } from '../store/state.ts'
import { exampleId, exampleScripts, type ExampleSql } from './example-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf } from './example-runner.ts'
import type { StepEvent } from './run-plan.ts'

const rows = (count: number): ExampleSql => ({
  up: `create table t (id bigint primary key, n integer not null default 0);
insert into t (id) select generate_series(1, ${count});`,
})
const byKey: ExampleSql = {
  up: 'update t set n = n + 1 where id > :from and id <= :to',
  batch: { range: { key: 'public.t.id', size: 100 }, pauseMs: 0 },
}
const untilUnchanged: ExampleSql = {
  up: 'update t set n = 1 where id in (select id from t where n = 0 limit 100)',
  batch: { pauseMs: 0 },
}

describe('batches by a key', () => {
  it('change every row once, and are recorded like any other revision', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [rows(1050), byKey, { up: 'create table after_it ()' }]

    const outcome = await runner.upgrade(sources)

    expect(outcome).toMatchObject({ end: { kind: 'succeeded' }, finished: [{}, {}, {}] })
    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 1050 }])
    const { checksum } = exampleScripts(sources)[1]!
    expect(
      await runner.connection.send(
        `select state, checksum, progress, run, duration_ms > 0 as lasted from drover.applied where revision = '${exampleId(2)}'`,
      ),
    ).toEqual([{ state: 'applied', checksum, progress: null, run: runner.run.id, lasted: true }])
  })

  it('are transactions of their own, each with at most so many rows', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    await runner.upgrade([rows(250), byKey])

    expect(
      await runner.connection.send(
        'select count(*)::int, min(id)::int, max(id)::int from t group by xmin::text order by 2',
      ),
    ).toEqual([
      { count: 100, min: 1, max: 100 },
      { count: 100, min: 101, max: 200 },
      { count: 50, min: 201, max: 250 },
    ])
  })

  it.each([
    ['smallint', 'i'],
    ['uuid', 'md5(i::text)::uuid'],
    ['text', `case i when 1 then '' when 2 then 'it''s' when 3 then '\\' when 4 then 'ä' else 'k' || i end`],
    ['text collate "C"', `chr(60 + i % 60) || i`],
    ['varchar(20)', `'Key ' || i`],
    ['char(8)', `'k' || i`],
    ['numeric(12, 4)', 'i / 7.0'],
    ['double precision', `case i when 1 then '-infinity' when 2 then 'NaN' else i / 3.0 end`],
    ['date', `date '2000-01-01' + i`],
    [
      'timestamptz',
      `case i when 1 then '-infinity' else timestamptz '2026-03-29 00:00:00.123456+00' + i * interval '1 minute' end`,
    ],
    ['interval', `i * interval '1 day 1 second'`],
    ['bytea', `decode(lpad(to_hex(i), 4, '0'), 'hex')`],
    ['inet', `inet '10.0.0.0' + i`],
    ['integer[]', 'array[i % 3, i]'],
    ['size', `(array['small', 'large'])[1 + i % 2]::size`],
    ['positive', 'i'],
  ])('take keys of the type %s', async (type, value) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const table = {
      up: `create type size as enum ('small', 'large');
create domain positive as integer check (value > 0);
create table "T" ("Key" ${type}, n integer not null default 0);
insert into "T" ("Key") select ${value} from generate_series(1, 250) as i;
create index on "T" ("Key")`,
    }
    const batches = {
      up: 'update "T" set n = n + 1 where "Key" > :from and "Key" <= :to',
      batch: { range: { key: '"T"."Key"', size: 40 }, pauseMs: 0 },
    }
    // What reads and writes text otherwise in the sessions of this database.
    await runner.connection.send(`alter database ${runner.connection.url.database} set datestyle = 'SQL, DMY'`)
    await runner.connection.send(`alter database ${runner.connection.url.database} set intervalstyle = 'sql_standard'`)
    await using connection = runner.database.connect()

    const outcome = await runner.upgrade([table, batches], { connection })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await connection.send('select n, count(*)::int from "T" group by n')).toEqual([{ n: 1, count: 250 }])
  })

  it('take all rows of one key together', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const many = {
      up: 'create table t (id integer not null, n integer not null default 0); insert into t select i % 3 from generate_series(1, 90) as i; create index on t (id)',
    }

    await runner.upgrade([many, { ...byKey, batch: { range: { key: 't.id', size: 7 }, pauseMs: 0 } }])

    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 90 }])
  })

  it('take the rows of all partitions', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const partitioned = {
      up: `create table t (id bigint primary key, n integer not null default 0) partition by range (id);
create table t1 partition of t for values from (1) to (101);
create table t2 partition of t for values from (101) to (1001);
insert into t select generate_series(1, 250);
analyze t1; analyze t2;`,
    }
    const events: StepEvent[] = []

    await runner.upgrade([partitioned, byKey], { onEvent: (event) => events.push(event) })

    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 250 }])
    expect(events).toContainEqual(expect.objectContaining({ type: 'step-progress', total: 250, estimated: true }))
  })

  it('have nothing to do in an empty table', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    expect((await runner.upgrade([rows(0), byKey])).end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2)])
  })

  it('refuse a table that has rows without a key, and leave it as it is', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const table = {
      up: 'create table t (id integer unique, n integer not null default 0); insert into t values (1), (null)',
    }

    const problem = problemOf(await runner.upgrade([table, byKey]))

    expect(problem).toMatchObject({ code: 'STATEMENT_FAILED', message: expect.stringContaining('rows without one') })
    expect(problem.hint).toContain('select * from public.t where id is null')
    expect(await runner.connection.send('select sum(n)::int as n from t')).toEqual([{ n: 0 }])
    expect(await readState(runner.connection, 'main')).not.toHaveProperty('halfDone')
  })

  it.each([
    ['there is none', ''],
    ['it begins with another column', 'create index on t (n, id)'],
    ['it has not all of the rows', 'create index on t (id) where n = 0'],
    ['it has no order', 'create index on t using hash (id)'],
  ])('refuse a key without an index, as every batch would read the whole table: %s', async (_, index) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const table = { up: `create table t (id integer not null, n integer not null default 0); ${index}` }

    const problem = problemOf(await runner.upgrade([table, byKey]))

    expect(problem.message).toContain('by public.t.id, and no index begins with that')
    expect(problem.hint).toContain('create index concurrently on public.t (id)')
    expect(await readState(runner.connection, 'main')).not.toHaveProperty('halfDone')
  })

  it('refuse a key that there is not', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const problem = problemOf(
      await runner.upgrade([rows(1), { ...byKey, batch: { range: { key: 't.nothing', size: 10 }, pauseMs: 0 } }]),
    )

    expect(problem).toMatchObject({ code: 'REVISION_INVALID', file: 'migrations/2/revision.json' })
    expect(problem.message).toContain('by t.nothing, and there is no such column')
  })

  it('end with the last key that was there when they began; what is added in front of them is taken along', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const events: StepEvent[] = []
    // The statement itself adds rows: between the keys that are still to come, behind what is done, and behind the end.
    const growing = {
      ...byKey,
      up: `with added as (
  insert into t (id) select unnest(array[1001 - id, id + 5000, -id]) from t where id > :from and id <= :to and id % 100 = 50
  on conflict do nothing
)
update t set n = n + 1 where id > :from and id <= :to`,
    }
    await runner.upgrade([rows(1000)])
    await runner.connection.send('delete from t where id in (450, 951, 851)')

    await runner.runScripts(exampleScripts([rows(1000), growing]).slice(1), 2, {
      onEvent: (event) => events.push(event),
    })

    expect(await runner.connection.send('select id::int from t where n <> 1 and id between 1 and 1000')).toEqual([])
    expect(await runner.connection.send('select id::int from t where id in (951, 851) order by id')).toEqual([
      { id: 851 },
      { id: 951 },
    ])
    const [added] = await runner.connection.send(
      'select count(*)::int, sum(n)::int from t where id not between 1 and 1000',
    )
    expect(added).toMatchObject({ sum: 0 })
    expect(Number(added?.['count'])).toBeGreaterThan(10)
  })
})

describe('batches until nothing changes', () => {
  it('are repeated until then', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const events: StepEvent[] = []

    const outcome = await runner.upgrade([rows(1050), untilUnchanged], { onEvent: (event) => events.push(event) })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 1050 }])
    expect(events.findLast(({ type }) => type === 'step-progress')).toMatchObject({ done: 1050 })
  })

  it.each([
    ['delete from t where ctid in (select ctid from t limit 100) returning id'],
    [
      'with old as (delete from t where id in (select id from t limit 100) returning id) insert into gone select id from old',
    ],
    [
      'merge into t using (select id as old from t where n = 0 limit 100) as todo on id = old when matched then update set n = 1',
    ],
  ])('count what any statement changes: %s', async (up) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const gone = { up: 'create table gone (id bigint)' }

    const outcome = await runner.upgrade([rows(250), gone, { up, batch: { pauseMs: 0 } }])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select from t where n = 0')).toEqual([])
  })
})

describe('batches that are ended', () => {
  it.each([
    ['by a key', byKey],
    ['until nothing changes', untilUnchanged],
  ])('are gone on with behind what is done: %s', async (_, source) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const progress = await interrupted(runner, source)
    expect(progress).toMatchObject({
      rows: 100,
      ...(source === byKey && { key: 'public.t.id', after: '100', end: '1000' }),
    })
    const events: StepEvent[] = []

    const outcome = await runner.runScripts(exampleScripts([rows(1000), source]).slice(1), 2, {
      onEvent: (event) => events.push(event),
    })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 1000 }])
    expect(events.filter(({ type }) => type === 'step-progress')).toMatchObject([{ done: 200 }, { done: 1000 }])
  })

  it('are not gone on with by another key', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await interrupted(runner, byKey)
    const other = { ...byKey, batch: { range: { key: 'public.t.n', size: 10 }, pauseMs: 0 } }

    const problem = problemOf(await runner.runScripts(exampleScripts([rows(1000), other]).slice(1), 2))

    expect(problem).toMatchObject({
      code: 'HALF_DONE',
      message: expect.stringContaining('1 batch with 100 rows is done'),
      hint: expect.stringContaining('write "key": "public.t.id" into the "batch" of migrations/2/revision.json'),
    })
  })

  it('say which one failed, and where in the file; those before it stay, and a correction goes on behind them', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([rows(1000)])
    await runner.connection.send('create table taken (id bigint unique); insert into taken values (555)')
    const source = { ...byKey, up: 'insert into taken\n  select id from t where id > :from and id <= :to' }

    const problem = problemOf(await runner.runScripts(exampleScripts([rows(1000), source]).slice(1), 2))

    expect(problem).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate: '23505', statement: source.up, line: 1 })
    expect(problem.message).toMatch(/ \(batch 6 with public\.t\.id over 500 up to 600\)$/)
    expect(problem.hint).toMatch(
      /^5 batches with 500 rows are done and stay so: .*go on with: pnpm migrate upgrade -d <database>$/,
    )
    expect(problem.serverNotes).toEqual(['DETAIL: Key (id)=(555) already exists.'])
    expect(await runner.connection.send('select count(*)::int from taken')).toEqual([{ count: 501 }])

    const corrected = { ...source, up: `${source.up} on conflict do nothing` }
    const outcome = await runner.runScripts(exampleScripts([rows(1000), corrected]).slice(1), 2)
    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select count(*)::int from taken')).toEqual([{ count: 1000 }])
  })

  it('are as never begun when the first one fails, with the place in the file', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const source = {
      ...byKey,
      up: `-- why 😀\nupdate t set n = n + 1\nwhere id > :from and id <= :to and nothing = '😀'`,
    }

    const problem = problemOf(await runner.upgrade([rows(1000), source]))

    expect(problem).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate: '42703', line: 3, column: 36 })
    expect(problem.excerpt?.at(-1)).toMatch(/^ +\| +\^$/)
    expect(problem.hint).toContain('nothing of this revision was kept')
    expect(await readState(runner.connection, 'main')).not.toHaveProperty('halfDone')
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('change nothing once the lease has gone to another run', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([rows(1000)])
    let stolen: Promise<unknown> | undefined

    const outcome = await runner.runScripts(
      exampleScripts([rows(1000), { ...byKey, batch: { range: { key: 't.id', size: 10 }, pauseMs: 5 } }]).slice(1),
      2,
      {
        onEvent: (event) => {
          if (event.type !== 'step-progress') return
          stolen ??= runner.database.connect().send('update drover.lease set token = token + 1')
        },
      },
    )
    await stolen

    expect(problemOf(outcome).code).toBe('LEASE_LOST')
    const batch = (await readState(runner.connection, 'main')).halfDone?.batch
    expect(await runner.connection.send('select sum(n)::int as rows from t')).toEqual([{ rows: batch?.rows }])
  })
})

describe('an answer that is lost', () => {
  it.each([
    ['to a batch', '"after":"300"', `progress ->> 'done' = '3'`],
    ['to the last record', 'duration_ms = extract', `state = 'applied'`],
  ])('%s is found out, and the run goes on', async (_, text, arrived) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([rows(1000)])
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)

    proxy.swallowAnswersAfter(text)
    const running = runner.runScripts(exampleScripts([rows(1000), byKey]).slice(1), 2, { connection })
    await recorded(runner, arrived)
    proxy.cut()
    const outcome = await running

    expect(outcome).toMatchObject({ end: { kind: 'succeeded' }, finished: [{}] })
    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 1000 }])
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2)])
  })

  it.each([
    ['a batch', '"after":"300"'],
    ['the last record', 'duration_ms = extract'],
  ])('because %s has not reached the server is no success, and the next run goes on', async (_, text) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([rows(1000)])
    const scripts = exampleScripts([rows(1000), byKey]).slice(1)
    const connection: Connection = {
      ...runner.connection,
      send: async (sql, onRow) => {
        if (sql.includes(text)) throw new DroverError({ code: 'CONNECTION_LOST', message: 'cut' })
        return runner.connection.send(sql, onRow)
      },
    }

    expect(problemOf(await runner.runScripts(scripts, 2, { connection }))).toMatchObject({ code: 'CONNECTION_LOST' })
    expect(await runner.applied()).toEqual([exampleId(1)])

    expect((await runner.runScripts(scripts, 2)).end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select n, count(*)::int from t group by n')).toEqual([{ n: 1, count: 1000 }])
  })
})

/** Resolves when the row of the second revision is as a condition says. */
async function recorded(runner: ExampleRunner, condition: string): Promise<void> {
  const connection = runner.database.connect()
  const query = `select from drover.applied where revision = '${exampleId(2)}' and ${condition}`
  while ((await connection.send(query)).length === 0);
}

/** Ends a run behind its first batches, by the signal. */
async function interrupted(runner: ExampleRunner, source: ExampleSql): Promise<BatchProgress | undefined> {
  await runner.upgrade([rows(1000)])
  const stop = new AbortController()
  const outcome = await runner.runScripts(exampleScripts([rows(1000), source]).slice(1), 2, {
    signal: stop.signal,
    onEvent: (event) => event.type === 'step-progress' && stop.abort(),
  })
  expect(outcome.end).toEqual({ kind: 'interrupted' })
  return (await readState(runner.connection, 'main')).halfDone?.batch
}
