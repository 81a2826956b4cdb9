import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { exampleId, exampleScripts } from '../run/example-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf, someoneWaits } from '../run/example-runner.ts'

const table = 'create table t (a int, b text)'
/** A role for one statement, which goes with its transaction. */
const asNobody = 'create role "drover test nobody"; set local role "drover test nobody"'

describe('what to do about a statement that fails', () => {
  // One database for all of them: nothing of what fails is kept.
  let shared: ExampleRunner
  beforeAll(async () => {
    shared = await exampleRunner(inject('serverUrl'))
    await shared.connection.send(`create type mood as enum ('red'); create table public.busy ()`)
    await shared.database.connect().send('begin; lock table busy')
  })
  afterAll(() => shared[Symbol.asyncDispose]())

  it.each<[sqlstate: string, when: string, sql: string, advice: string]>([
    // locks and other sessions
    ['55P03', 'without waiting', 'select * from busy for update nowait', 'leave NOWAIT out'],
    [
      '55006',
      'with events of triggers',
      `${table}; alter table t add primary key (a); create table u (a int references t deferrable initially deferred); insert into t values (1); insert into u values (1); alter table u add b int`,
      'set constraints all immediate',
    ],
    ['57014', 'after its time', `set local statement_timeout = 10; select pg_sleep(60)`, 'raise --statement-timeout'],
    ['57014', 'by somebody', `select pg_cancel_backend(pg_backend_pid()); select pg_sleep(60)`, 'who cancelled it'],

    // rows that are in the way
    [
      '23505',
      'when an index is made',
      `${table}; insert into t values (1, 'x'), (1, 'X'); create unique index on t (a, lower(b))`,
      'find the duplicates with "select a, lower(b), count(*) from public.t group by a, lower(b) having count(*) > 1"',
    ],
    [
      '23505',
      'when rows come',
      `create table "T" (a int primary key); insert into "T" values (1); insert into "T" values (1)`,
      'write "on conflict" in migrations/1/migration.sql, or remove the row that is there: the constraint "T_pkey"',
    ],
    [
      '23502',
      'when a column is added',
      `${table}; insert into t values (1); alter table t add column email text not null`,
      'add "email" without "not null", fill it in in a revision of its own, and then "alter table public.t alter column "email" set not null"',
    ],
    [
      '23502',
      'when a column must be there',
      `${table}; insert into t values (1); alter table t alter b set not null`,
      'fill it in first: "update public.t set "b" = … where "b" is null"',
    ],
    [
      '23502',
      'when rows come',
      `${table}; alter table t alter a set not null; insert into t (b) values ('x')`,
      'give "a" of public.t a value',
    ],
    [
      '23503',
      'when a key is made',
      `${table}; create table u (id int primary key); insert into t values (1); alter table t add constraint t_fk foreign key (a) references u (id)`,
      'find the rows with "select * from public.t where (a) not in (select id from u)" and put them right; or add "t_fk" "not valid" now',
    ],
    [
      '23503',
      'when rows come',
      `create table u (id int primary key); create table t (a int constraint t_fk references u); insert into t values (1)`,
      'in the order that "t_fk" of public.t asks for',
    ],
    [
      '23514',
      'when it is made',
      `${table}; insert into t values (1); alter table t add constraint big check (a > 1)`,
      '"validate constraint" it in a later revision',
    ],
    [
      '23514',
      'when rows come',
      `${table}; alter table t add constraint big check (a > 1); insert into t values (1)`,
      'change the values: "big"',
    ],
    [
      '23514',
      'of a partition',
      `create table p (a int) partition by list (a); insert into p values (1)`,
      'create the partition',
    ],
    [
      '23P01',
      'of a range',
      `create table r (a int4range, exclude using gist (a with &&)); insert into r values ('[1,3)'), ('[2,4)')`,
      'the exclusion constraint "r_a_excl"',
    ],
    ['22001', 'of text', `create table v (a varchar(2)); insert into v values ('long')`, 'make the column longer'],
    ['22003', 'of numbers', `select 3000000000::int`, 'a type with room for them'],
    [
      '22P02',
      'of numbers',
      `${table}; insert into t values (1, 'x'); alter table t alter b type int using b::int`,
      'say with "using"',
    ],
    ['22007', 'of dates', `select 'soon'::date`, 'to_date(…)'],
    ['22008', 'of dates', `select '2026-02-30'::date`, 'no such day'],
    ['22012', 'of numbers', `select 1 / 0`, 'nullif(…, 0)'],
    ['22023', 'of settings', `set local work_mem = '1 parsec'`, 'PostgreSQL does not take it'],
    [
      '428C9',
      'of an identity',
      `create table i (a int generated always as identity); insert into i values (1)`,
      'overriding system value',
    ],

    // what is not there
    ['42P01', 'of a table', `select * from orders`, 'name that one in "parents" or "dependsOn"'],
    [
      '42703',
      'of a column',
      `create table t ("createdAt" int); select createdAt from t`,
      'written as "Name" it needs its quotes',
    ],
    ['42704', 'of a type', `create table t (a citext)`, 'create extension if not exists citext'],
    ['42704', 'of a role', `grant select on pg_class to "never made"`, 'pnpm migrate init'],
    ['42704', 'of an index', `${table}; alter table t drop constraint never`, 'correct the name'],
    ['42883', 'of an extension', `select uuid_generate_v4()`, 'create extension if not exists "uuid-ossp"'],
    ['42883', 'with other arguments', `select length(1)`, 'casts where they do not fit'],
    ['3F000', 'of a schema', `create table nowhere.t ()`, 'create the schema in an earlier revision'],
    ['3D000', 'of a database', `grant connect on database "never made" to public`, `databases are the server's`],
    ['58P01', 'of a library', `load 'never made'`, 'install what the file belongs to'],

    // what is there already
    [
      '42P07',
      'of a table',
      `${table}; create table t ()`,
      `record it instead: pnpm migrate stamp <database>/${exampleId(1)}`,
    ],
    ['42701', 'of a column', `${table}; alter table t add a int`, 'write "if not exists"'],
    [
      '42710',
      'of a constraint',
      `create table t (a int constraint c check (a > 0)); alter table t add constraint c check (a > 1)`,
      'write "if not exists"',
    ],
    ['42P06', 'of a schema', `create schema s; create schema s`, 'write "if not exists"'],
    [
      '42723',
      'of a function',
      `create function f() returns int return 1; create function f() returns int return 2`,
      '"create or replace"',
    ],
    [
      '2BP01',
      'of a view',
      `${table}; create view v as select a from t; alter table t drop a`,
      'drop or change what DETAIL names',
    ],
    ['42939', 'of a schema', `create schema pg_mine`, `PostgreSQL's own`],
    ['42P04', 'of a database', `alter database template1 rename to template0`, 'pnpm migrate init'],

    // definitions that do not fit
    ['42601', 'of a command of psql', `\\i other.sql`, 'it is a command of psql'],
    ['42601', 'of anything else', `creat table t ()`, 'correct migrations/1/migration.sql, then'],
    ['42804', 'of a type', `${table}; alter table t alter column b type integer`, '"using b::integer"'],
    [
      '42804',
      'of a default',
      `create table t (a text default 'x'); alter table t alter a type int using 1`,
      'drop the default before',
    ],
    ['42846', 'of a type', `select now()::integer`, 'in two steps'],
    [
      '42830',
      'of a key',
      `create table u (id int); create table t (a int references u (id))`,
      'a primary key or a unique constraint first',
    ],
    [
      '42P16',
      'of a view',
      `${table}; create view v as select a from t; create or replace view v as select b from t`,
      'drop the view and create it again',
    ],
    [
      '42P16',
      'of a key',
      `create table t (a int primary key); alter table t add primary key (a)`,
      'drop the one that is there',
    ],
    ['42P17', 'of an index', `create table t (a timestamptz); create index on t (date(a))`, 'immutable'],
    [
      '42P17',
      'of a partition',
      `create table p (a int) partition by list (a); create table q partition of p for values in (1); create table r partition of p for values in (1)`,
      'no other partition has',
    ],
    [
      '42P13',
      'of a function',
      `create function f() returns int return 1; create or replace function f() returns text return 'x'`,
      'drop the function first',
    ],
    ['42P10', 'of a conflict', `${table}; insert into t values (1) on conflict (a) do nothing`, 'a unique index'],
    ['42702', 'of a column', `${table}; select a from t, t as u`, 'the name of the table before'],
    [
      '42725',
      'of a function',
      `create function f(a int, b text) returns int return 1; create function f(a text, b int) returns int return 1; select f('1', '2')`,
      'types of the arguments',
    ],
    ['42809', 'of a table', `${table}; drop view t`, 'write what HINT says'],
    ['0A000', 'of an extension', `create extension "never made"`, 'install the extension on the server'],
    [
      '0A000',
      'of a column of a view',
      `${table}; create view v as select a from t; alter table t alter a type bigint`,
      'drop the view that DETAIL names',
    ],
    [
      '0A000',
      'of a partitioned table',
      `create table p (a int, b int primary key) partition by list (a)`,
      'columns of the partition key',
    ],
    [
      '54000',
      'of an index',
      `${table}; create index on t (b); insert into t select 1, string_agg(md5(n::text), '') from generate_series(1, 1000) as n`,
      'md5(…)',
    ],
    [
      '54001',
      'of a statement',
      `create function f(n int) returns int language plpgsql as $$ begin return f(n + 1); end $$; select f(1)`,
      'max_stack_depth',
    ],
    [
      '54011',
      'of columns',
      `do $$ begin execute (select 'create table t (' || string_agg('c' || n || ' int', ',') || ')' from generate_series(1, 1601) as n); end $$`,
      'into a table of their own',
    ],
    [
      '54023',
      'of arguments',
      `do $$ begin execute (select 'select format(' || string_agg('''''', ',') || ')' from generate_series(1, 101)); end $$`,
      'fewer arguments',
    ],

    // transactions
    ['25001', 'of an index', `${table}; create index concurrently on t (a)`, '"transaction": "none"'],
    ['2D000', 'of a block', `do $$ begin commit; end $$`, '"transaction": "none"'],
    ['25006', 'of a standby', `set local transaction_read_only = on; ${table}`, 'use the URL of the primary'],
    ['55P04', 'of an enum', `alter type mood add value 'blue'; select 'blue'::mood`, 'into a revision after this one'],
    ['55000', 'of a sequence', `create sequence s; select currval('s')`, 'bring it into the state'],
    [
      '55000',
      'of a view',
      `create materialized view m as select 1 as a; refresh materialized view concurrently m`,
      'without "concurrently" first',
    ],
    [
      '55000',
      'of a publication',
      `${table}; create publication p for table t; insert into t values (1); update t set a = 2`,
      'replica identity full',
    ],

    // rights and means
    [
      '42501',
      'in a schema',
      `${asNobody}; create table public.t ()`,
      'let its owner "grant create on schema "public""',
    ],
    ['42501', 'of an owner', `${table}; ${asNobody}; drop table t`, 'connect as the owner'],
    ['42501', 'of a row', `${table}; ${asNobody}; select * from public.t`, 'grant it to the user of this URL'],
    [
      '53400',
      'of a file',
      `set local temp_file_limit = 64; set local work_mem = 64; select count(*) from (select n from generate_series(1, 100000) as n order by md5(n::text) offset 0) as x`,
      'raise the setting',
    ],
    ['P0001', 'of a trigger', `do $$ begin raise 'not on Fridays'; end $$`, 'CONTEXT names the function'],
  ])('%s %s', async (sqlstate, _, sql, advice) => {
    const problem = problemOf(await shared.upgrade([{ up: sql }], { lockAttempts: 1 }))

    expect(problem).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate })
    expect(problem.hint).toContain(advice)
    expect(problem.hint).toMatch(/, then run the same command again: nothing of this revision was kept$/)
  })

  it('40P01 in a deadlock', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send('create table public.first (); create table public.second ()')
    const other = runner.database.connect()
    await other.send(`begin; set local deadlock_timeout = '1h'; lock table second`)

    // Who waits looks for a deadlock once, and ends itself when there is one; by then the other waits as well.
    const up = `set local deadlock_timeout = '3s'; lock table first; lock table second`
    const running = runner.upgrade([{ up }], { lockAttempts: 1, lockTimeoutMs: 60_000 })
    await someoneWaits(runner)
    await other.send('lock table first; commit')

    const problem = problemOf(await running)
    expect(problem).toMatchObject({ sqlstate: '40P01', line: 1 })
    expect(problem.hint).toContain('in the order in which the application does')
  })

  it('40001 by another transaction', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send(`create table public.rows (a int); insert into public.rows values (1);
alter database "${runner.database.url.database}" set default_transaction_isolation = 'repeatable read'`)
    const other = runner.database.connect()
    await other.send('begin; update rows set a = 2')
    const connection = runner.database.connect()

    const running = runner.upgrade([{ up: 'update rows set a = 3' }], { connection, lockTimeoutMs: 60_000 })
    await someoneWaits(runner)
    await other.send('commit')

    const problem = problemOf(await running)
    expect(problem).toMatchObject({ sqlstate: '40001' })
    expect(problem.hint).toContain('wait until they are done')
  })

  it('is another thing for a way back', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const source = { up: 'create table t ()', down: 'drop table t; drop table t;' }
    await runner.upgrade([source])

    const problem = problemOf(await runner.runScripts(exampleScripts([source], 'down'), 1))

    expect(problem).toMatchObject({ sqlstate: '42P01', hint: expect.stringContaining('write "if exists"') as string })
  })

  it('is to go on, for a revision of which some statements are done', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const up = `${table}; insert into t values (1), (1); create unique index concurrently i on t (a);`

    const problem = problemOf(await runner.upgrade([{ up, transaction: 'none' }]))

    expect(problem.hint).toMatch(
      /^2 of 3 statements are done, and the invalid index public\.i is left: find the duplicates with "select a, count\(\*\) .*, then go on with: pnpm migrate upgrade -d <database> --resume, or forget .* --abandon$/,
    )
  })
})
