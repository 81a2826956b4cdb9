import { describe, expect, inject, it } from 'vitest'

import { readState } from '../store/state.ts'
import { exampleId, exampleScripts, type ExampleSql } from './example-plan.ts'
import type { PlanRun } from './run-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf } from './example-runner.ts'

const table = { up: 'create table t (id integer, name text)', down: 'drop table t' }
const index: ExampleSql = {
  up: 'create index concurrently i on t (id);',
  down: 'drop index concurrently i;',
  transaction: 'none',
}

describe('a revision outside a transaction', () => {
  it('is applied and reverted among others, in their order', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [table, index, { up: 'alter table t add column after_it int', down: 'alter table t drop after_it' }]

    const up = await runner.upgrade(sources)

    expect(up).toMatchObject({ end: { kind: 'succeeded' }, finished: [{}, { direction: 'up' }, {}] })
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2), exampleId(3)])
    expect(await indexes(runner)).toEqual(['i'])

    const down = await runner.runScripts(exampleScripts(sources, 'down').slice(0, 2), 3)

    expect(down.end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1)])
    expect(await indexes(runner)).toEqual([])
  })

  it('is recorded like any other', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    await runner.upgrade([table, index])

    const rows = await runner.connection.send(
      `select state, checksum, progress, run, duration_ms > 0 as lasted from drover.applied where revision = '${exampleId(2)}'`,
    )
    const { checksum } = exampleScripts([table, index])[1]!
    expect(rows).toEqual([{ state: 'applied', checksum, progress: null, run: runner.run.id, lasted: true }])
  })

  it('runs what a transaction forbids, whether its text tells or not, and what a transaction allows', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = `
create type mood as enum ('ok');
alter type mood add value 'blue';
alter table t add column mood mood default 'blue';
vacuum (analyze) t;
create procedure batches() language plpgsql as $$ begin for i in 1..3 loop insert into t values (i); commit; end loop; end $$;
call batches();
do $do$ begin delete from t where id = 1; commit; end $do$;
reindex table concurrently t;`

    const outcome = await runner.upgrade([table, { up, transaction: 'none' }])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select id, mood::text from t order by id')).toEqual([
      { id: 2, mood: 'blue' },
      { id: 3, mood: 'blue' },
    ])
  })

  it('is applied without any statement', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([{ up: '-- nothing\n', transaction: 'none' }])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('keeps its settings from one statement to the next, and from its own record and the next revision', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const role = `drover test ${runner.database.url.database}`
    const up = `
create schema s; create table s.u (id integer); create role "${role}"; grant all on schema s to "${role}"; alter table s.u owner to "${role}";
set search_path = s; set role "${role}"; create index concurrently i on u (id); create table made as select current_user::text as maker;`

    const outcome = await runner.upgrade([
      { up, transaction: 'none' },
      { up: `create table seen as select current_user::text as maker` },
    ])
    const rows = await runner.connection.send('select made.maker, seen.maker as next from s.made, public.seen')
    await runner.connection.send(`drop schema s cascade; drop role "${role}"`)

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(rows).toEqual([{ maker: role, next: runner.database.url.user }])
  })

  it('leaves nothing of a revision whose first statement fails without a trace', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])

    for (const up of [
      'select 1 / 0;',
      'create index concurrently i on nowhere (id);',
      'alter table nowhere add x int;',
    ]) {
      const outcome = await runner.runScripts(exampleScripts([table, { up, transaction: 'none' }]).slice(1), 2)

      expect(problemOf(outcome)).toMatchObject({
        code: 'STATEMENT_FAILED',
        line: 1,
        statement: up.slice(0, -1),
        hint: expect.stringContaining('nothing of this revision was kept'),
      })
    }
    expect(await readState(runner.connection, 'main')).not.toHaveProperty('halfDone')
  })

  it('keeps what was done before a statement failed, and says how to go on', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = 'create table one ();\n\ncreate index concurrently i on t (id);\n\n\nselect 1 / 0;\ncreate table two ();'

    const outcome = await runner.upgrade([table, { up, transaction: 'none' }])

    expect(problemOf(outcome)).toMatchObject({
      code: 'STATEMENT_FAILED',
      revision: exampleId(2),
      line: 6,
      statement: 'select 1 / 0',
      sqlstate: '22012',
      hint: '2 of 4 statements are done: keep the divisor from being 0, with nullif(…, 0), then go on with: pnpm migrate upgrade -d <database> --resume, or forget that it was begun with: pnpm migrate upgrade -d <database> --abandon',
    })
    expect(await runner.tables()).toEqual(['one', 't'])
    expect(await runner.applied()).toEqual([exampleId(1)])
    expect((await readState(runner.connection, 'main')).halfDone).toEqual({
      id: exampleId(2),
      direction: 'up',
      done: 2,
      total: 4,
      statement: 'select 1 / 0',
      held: true,
    })
  })

  it('finds the place of an error in its file', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = "-- ü\nselect 'ü';\nselect 'ü', 1,\n  nowhere;"

    const outcome = await runner.upgrade([{ up, transaction: 'none' }])

    expect(problemOf(outcome)).toMatchObject({
      line: 4,
      column: 3,
      message: expect.stringMatching(/migration\.sql:4:3: /),
    })
  })

  it('waits for an old transaction instead of giving up, and holds nobody up meanwhile', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])
    const old = runner.database.connect()
    await old.send('begin; insert into t values (1)')

    const running = runner.runScripts(exampleScripts([table, index]).slice(1), 2, { lockTimeoutMs: 50 })
    await untilItWaits(runner)
    await runner.database.connect().send('insert into t values (2)')
    await old.send('commit')

    expect((await running).end).toEqual({ kind: 'succeeded' })
    expect(await indexes(runner)).toEqual(['i'])
  })

  it('does not begin when its lease is gone', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])
    await runner.connection.send('update drover.lease set token = token + 1')

    const outcome = await runner.runScripts(exampleScripts([table, index]).slice(1), 2)

    expect(problemOf(outcome)).toMatchObject({ code: 'LEASE_LOST' })
    expect(await indexes(runner)).toEqual([])
  })

  it('stops before its next statement when its lease is gone', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = 'create table one (); update drover.lease set token = token + 1; create table two ();'

    const outcome = await runner.upgrade([{ up, transaction: 'none' }])

    expect(problemOf(outcome)).toMatchObject({ code: 'LEASE_LOST', hint: expect.stringContaining('--resume') })
    expect(await runner.tables()).toEqual(['one'])
  })

  it('works with tables of an earlier version, which do not know of progress', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('alter table drover.applied drop column progress')

    expect(await readState(runner.connection, 'main')).toMatchObject({ applied: [] })
    const outcome = await runner.upgrade([table, index])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2)])
  })
})

describe('going on with a revision that is half done', () => {
  const unique: ExampleSql = {
    up: 'create table one ();\ncreate unique index concurrently i on t (id);\ncreate table two ();',
    down: 'drop table two;\nselect 1 / 0;\ndrop index concurrently i;\ndrop table one',
    transaction: 'none',
  }

  it('drops the invalid index that the failed statement has left, and makes it anew', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([{ ...table, up: `${table.up}; insert into t values (1), (1)` }])
    const scripts = exampleScripts([table, unique]).slice(1)
    const failed = await runner.runScripts(scripts, 2)
    expect(problemOf(failed)).toMatchObject({
      sqlstate: '23505',
      hint: expect.stringContaining('1 of 3 statements are done, and the invalid index public.i is left'),
    })
    expect((await readState(runner.connection, 'main')).halfDone).toMatchObject({
      done: 1,
      left: { kind: 'invalid-index', name: 'public.i' },
    })
    await runner.connection.send('delete from t')

    const outcome = await runner.runScripts(scripts, 2, { resume: true })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.tables()).toEqual(['one', 't', 'two'])
    expect(await runner.connection.send('select indisvalid from pg_index')).toContainEqual({ indisvalid: true })
    expect(await runner.connection.send('select from pg_index where not indisvalid')).toEqual([])
    expect(await runner.applied()).toEqual([exampleId(1), exampleId(2)])
  })

  it('is refused unless it is asked for', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])
    const scripts = exampleScripts([table, { up: 'create table one (); select 1 / 0', transaction: 'none' }]).slice(1)
    await runner.runScripts(scripts, 2)

    const outcome = await runner.runScripts(scripts, 2)

    expect(problemOf(outcome)).toMatchObject({ code: 'STATE_MOVED' })
    expect((await readState(runner.connection, 'main')).halfDone).toMatchObject({ done: 1, total: 2 })
  })

  it('leaves an invalid index alone that was there before', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([{ ...table, up: `${table.up}; insert into t values (1), (1)` }])
    await runner.connection.send('create unique index concurrently i on t (id)').catch(() => undefined)
    const scripts = exampleScripts([table, unique]).slice(1)
    const failed = await runner.runScripts(scripts, 2)
    expect(problemOf(failed)).toMatchObject({ sqlstate: '42P07' })

    const again = await runner.runScripts(scripts, 2, { resume: true })

    expect(problemOf(again)).toMatchObject({ sqlstate: '42P07' })
    expect((await readState(runner.connection, 'main')).halfDone).not.toHaveProperty('left')
    expect(await indexes(runner)).toEqual(['i'])
  })

  it('does not repeat what was carried out and not recorded', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])
    const sources = [table, { ...index, up: `${index.up} create table two ()`, down: 'drop index concurrently i' }]
    const scripts = exampleScripts(sources).slice(1)
    // A process that is gone has sent the first statement, and heard no answer.
    await runner.runScripts(scripts, 2, { connection: breakingBehind(runner, 'create index') })
    expect((await readState(runner.connection, 'main')).halfDone).toMatchObject({
      done: 0,
      left: { kind: 'carried-out' },
    })

    const outcome = await runner.runScripts(scripts, 2, { resume: true })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.tables()).toEqual(['t', 'two'])

    const back = exampleScripts(sources, 'down').slice(0, 1)
    await runner.runScripts(back, 2, { connection: breakingBehind(runner, 'drop index') })
    expect((await readState(runner.connection, 'main')).halfDone).toMatchObject({
      direction: 'down',
      left: { kind: 'carried-out' },
    })
    expect((await runner.runScripts(back, 2, { resume: true })).end).toEqual({ kind: 'succeeded' })
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('is refused while the server is still at the statement', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([table])
    const old = runner.database.connect()
    await old.send('begin; insert into t values (1)')
    const scripts = exampleScripts([table, index]).slice(1)
    const first = runner.runScripts(scripts, 2, { connection: runner.database.connect() })
    await untilItWaits(runner)

    const second = await runner.runScripts(scripts, 2, { resume: true, connection: runner.database.connect() })

    expect(problemOf(second)).toMatchObject({
      code: 'HALF_DONE',
      message: expect.stringMatching(/still working on the next one \(process \d+\)$/),
      hint: expect.stringContaining('pg_terminate_backend('),
    })
    await old.send('commit')
    expect((await first).end).toEqual({ kind: 'succeeded' })
  })

  it('runs what was corrected in the file, and refuses what was changed of what is done', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.runScripts(only('create table one (); select 1 / 0; create table two ()'), 1)

    const edited = await runner.runScripts(only('create table won (); select 1'), 1, { resume: true })
    const corrected = await runner.runScripts(only('create table  one (); -- so\nselect 1 / 1'), 1, {
      resume: true,
    })

    expect(problemOf(edited)).toMatchObject({
      code: 'HALF_DONE',
      message: expect.stringContaining(
        'the first statement of migrations/1/migration.sql, which the database has had, was edited since',
      ),
    })
    expect(corrected.end).toEqual({ kind: 'succeeded' })
    expect(await runner.tables()).toEqual(['one'])
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('ends a revision whose last statements were taken out of the file', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([{ up: 'create table one (); select 1 / 0', transaction: 'none' }])

    const outcome = await runner.upgrade([{ up: 'create table one ()', transaction: 'none' }], { resume: true })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await readState(runner.connection, 'main')).not.toHaveProperty('halfDone')
  })

  it('makes the settings again that its statements made', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = 'create schema s; set search_path = s; select 1 / 0; create table there ()'
    await runner.runScripts(only(up), 1)

    const outcome = await runner.runScripts(only(up.replace('1 / 0', '1')), 1, { resume: true })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send(`select to_regclass('s.there')::text as place`)).toEqual([{ place: 's.there' }])
  })

  it('goes on with a way back, and keeps the record of when it was applied until then', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [table, unique]
    await runner.upgrade(sources)
    const { applied } = await readState(runner.connection, 'main')

    const failed = await runner.runScripts(exampleScripts(sources, 'down').slice(0, 1), 2)
    expect(problemOf(failed)).toMatchObject({
      hint: expect.stringContaining('pnpm migrate downgrade -d <database> --resume'),
    })
    expect(await runner.applied()).toEqual([exampleId(1)])
    const [row] = await runner.connection.send(`select applied_at from drover.applied where state = 'running'`)
    expect(row?.['applied_at']).toEqual(new Date(applied[1]!.appliedAt))

    const corrected = [table, { ...unique, down: unique.down!.replace('1 / 0', '1') }]
    const outcome = await runner.runScripts(exampleScripts(corrected, 'down').slice(0, 1), 2, { resume: true })

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.tables()).toEqual(['t'])
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('keeps neighbours from being run as if it were applied', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources: readonly ExampleSql[] = [{ up: 'create table one (); select 1 / 0', transaction: 'none' }, table]
    await runner.upgrade(sources)

    const outcome = await runner.runScripts(exampleScripts(sources).slice(1), 2)

    expect(problemOf(outcome)).toMatchObject({ code: 'STATE_MOVED' })
    expect(await runner.tables()).toEqual(['one'])
  })
})

async function indexes({ connection }: ExampleRunner): Promise<readonly unknown[]> {
  const rows = await connection.send(`select indexname from pg_indexes where schemaname = 'public'`)
  return rows.map((row) => row['indexname'])
}

/** A connection that is lost right after a statement was carried out. */
function breakingBehind(runner: ExampleRunner, statement: string): ExampleRunner['connection'] {
  const real = runner.database.connect()
  let broken = false
  return {
    ...real,
    send: async (sql, onRow) => {
      if (broken) throw new Error('the connection is gone')
      const rows = await real.send(sql, onRow)
      broken = sql.startsWith(statement)
      if (broken) throw new Error('the connection is gone')
      return rows
    },
  }
}

/** Resolves when the statement that makes the index waits for an old transaction. */
async function untilItWaits({ database }: ExampleRunner): Promise<void> {
  const connection = database.connect()
  const query = `
select from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like 'create index%'`
  while ((await connection.send(query)).length === 0);
}

/** The scripts of a history with one revision. */
function only(up: string): PlanRun['scripts'] {
  return exampleScripts([{ up, transaction: 'none' }])
}
