import type { Connection, Row } from '@drover/engine'
import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { generateRows } from './generate-rows.ts'
import { readContents } from './read-contents.ts'

const types = [
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'numeric(10, 2)',
  'numeric(2, 2)',
  'numeric(4, -2)',
  'real',
  'double precision',
  'money',
  'oid',
  'boolean',
  'text',
  'varchar',
  'varchar(3)',
  'varchar(500)',
  'char(2)',
  'char(1)',
  'name',
  '"char"',
  'bytea',
  'date',
  'time',
  'time(0)',
  'timetz',
  'timestamp',
  'timestamp(3)',
  'timestamptz',
  'interval',
  'interval day to second',
  'uuid',
  'json',
  'jsonb',
  'jsonpath',
  'xml',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
  'bit',
  'bit(5)',
  'varbit',
  'varbit(3)',
  'tsvector',
  'tsquery',
  'point',
  'line',
  'lseg',
  'box',
  'path',
  'polygon',
  'circle',
  'pg_lsn',
  'regclass',
  'regtype',
  'int4range',
  'int8range',
  'numrange',
  'daterange',
  'tsrange',
  'tstzrange',
  'int4multirange',
  'tstzmultirange',
  'text[]',
  'integer[]',
  'varchar(3)[]',
  'box[]',
  'jsonb[]',
  'timestamptz[][]',
  'mood',
  'mood[]',
  'email',
  'email[]',
  'small',
  'pair',
  'pair[]',
  'moods',
  'span',
]

const declarations = `
create type mood as enum ('sad', 'it''s ok', 'happy', 'a "quote"');
create domain email as varchar(40) check (value like '%_@_%') check (value <> 'ada@example.com');
create domain small as int not null check (value between 50 and 60);
create type pair as (first text, second numeric(4, 1));
create domain moods as mood[] check (cardinality(value) > 2);
create type span as range (subtype = float8);
`

describe('generateRows', () => {
  it('finds values for every type, and a null beside them', async () => {
    const columns = types.map((type, index) => `c${index} ${type}`).join(', ')
    await using database = await exampleDatabase(inject('serverUrl'), `${declarations} create table wide (${columns})`)

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const wide = await contentsOf(database.connection, 'wide')
    const filled = types.map((type, index) => ({ type, filled: wide?.columns.get(`c${index}`)?.filled ?? 0 }))
    expect(filled.filter((column) => column.filled < 3)).toEqual([])
    // Nobody but the domain forbids nulls.
    expect(filled.filter((column) => column.filled === wide?.rows).map(({ type }) => type)).toEqual(['small'])
  })

  it('finds enough different values of every type for a unique key, as far as the type has them', async () => {
    const unique = types.filter(
      (type) =>
        !['json', 'xml', 'jsonpath', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'box[]'].includes(type) &&
        type !== 'circle',
    )
    const tables = unique.map(
      (type, index) => `create table t${String(index).padStart(2, '0')} (value ${type} not null unique);`,
    )
    await using database = await exampleDatabase(inject('serverUrl'), declarations + tables.join('\n'))

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const { tables: contents } = await readContents(database.connection)
    const few = [...contents.values()]
      .map(({ rows }, index) => ({ type: unique[index], rows }))
      .filter(({ rows }) => rows < 4)
    expect(few).toEqual([
      { type: 'boolean', rows: 2 },
      { type: 'bit', rows: 2 },
      { type: 'regclass', rows: 3 },
      { type: 'regtype', rows: 3 },
    ])
  })

  it('brings what makes a change fail: empty texts, no numbers, zero, negative and large numbers, duplicates', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      'create table t (id serial primary key, name text not null, amount int not null, tag varchar(12) not null)',
    )

    await generateRows(database.connection)

    const rows = await database.connection.send('select * from t order by id')
    expect(valuesOf(rows, 'name')).toContain('')
    expect(valuesOf(rows, 'name').some((name) => Number.isNaN(Number(name)))).toBe(true)
    expect(valuesOf(rows, 'amount')).toEqual(expect.arrayContaining([0, -1, 2_000_000_000]))
    expect(Math.max(...valuesOf(rows, 'tag').map((tag) => String(tag).length))).toBe(12)
    expect(new Set(valuesOf(rows, 'name')).size).toBeLessThan(rows.length)
    expect(new Set(valuesOf(rows, 'amount')).size).toBeLessThan(rows.length)
    for (const change of [
      'alter table t add unique (name)',
      'alter table t add unique (name, amount, tag)',
      'alter table t alter name type int using name::int',
      'alter table t alter amount type smallint',
      'alter table t alter tag type varchar(10)',
    ]) {
      await expect(database.connection.send(change)).rejects.toThrow(/./)
    }
  })

  it('has every value of an enum and a null in a row, and an order of tables that keys ask for', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create type kind as enum ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
      create table a (id uuid primary key, b_id uuid not null, kind kind);
      create table b (id uuid primary key default gen_random_uuid(), note text);
      alter table a add foreign key (b_id) references b`,
    )

    const { tables, without } = await generateRows(database.connection)

    expect({ tables, without }).toEqual({ tables: ['"public"."a"', '"public"."b"'], without: [] })
    const rows = await database.connection.send('select distinct kind::text from a')
    expect(new Set(valuesOf(rows, 'kind'))).toEqual(new Set([...Array.from('abcdefghi'), null]))
  })

  it('fits the checks, whatever they ask', async () => {
    const checks = [
      `c text not null check (c in ('one', 'two'))`,
      `c text not null check (c ~ '^[A-Z]{3}-[0-9]{4}$') unique`,
      `c text not null check (c ~* '^https?://')`,
      `c text not null check (char_length(c) between 20 and 30)`,
      `c text not null check (c::int > 17)`,
      `c text not null check (c = lower(c) and c <> '')`,
      `c int not null check (c > 1000 and c % 2 = 0)`,
      `c numeric(5, 4) not null check (c > 0 and c < 1)`,
      `c jsonb not null check (jsonb_typeof(c) = 'object' and c ? 'version')`,
      `c text[] not null check (array_length(c, 1) = 4)`,
      `c bytea not null check (octet_length(c) = 32)`,
      `c date not null check (c > date '2500-01-01')`,
      `c boolean not null check (c)`,
      `c int4range not null check (not isempty(c) and lower(c) > 5)`,
      `c inet not null check (family(c) = 6)`,
      `c uuid not null, d uuid not null, check (c <> d)`,
      `c int, d text, check ((c is null) <> (d is null))`,
      `c int not null, d int not null, e int not null, check (c < d and d < e)`,
      `c timestamptz not null default now(), d timestamptz not null, check (d > c)`,
      `c text not null, d int, check (c = 'other' or d > 40), check (c in ('usual', 'other'))`,
      `c int not null, d int generated always as (c * 2) stored check (d < 100)`,
      `value text not null check (value <> 'Ada')`,
      `c text not null check (is_long(c))`,
      `t19 text not null check (t19 <> 'Ada'), n int not null, check (n > length(t19))`,
    ]
    const functions = `
      create function least_length() returns int language sql return 7;
      create function is_long(word text) returns boolean language sql as 'select length(word) > least_length()';`
    const tables = checks.map(
      (check, index) =>
        `create table t${String(index).padStart(2, '0')} (id int generated always as identity, ${check});`,
    )
    await using database = await exampleDatabase(inject('serverUrl'), functions + tables.join('\n'))

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
  })

  it('fits unique keys of every sort', async () => {
    const keys = [
      'a int, b int not null, unique (a, b)',
      'a text not null, exclude using btree (a with =)',
      'a text unique nulls not distinct',
      'a int4range not null, exclude using gist (a with &&)',
      'a boolean primary key',
      'a int4range not null, exclude using gist (a with &&) deferrable initially deferred',
      `a text not null, b text not null, primary key (a, b)`,
    ]
    const tables = keys.map((key, index) => `create table t${index} (${key});`)
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `${tables.join('\n')}
      create table email (address text not null);
      create unique index on email (lower(address));
      create table part (owner int not null, state text not null check (state in ('open', 'closed')));
      create unique index on part (owner) where state = 'open';
      create table alone (id int not null);
      create unique index on alone ((true))`,
    )

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const { tables: contents } = await readContents(database.connection)
    const rows = Object.fromEntries([...contents].map(([table, { rows: count }]) => [table.split('\0')[1], count]))
    expect(rows).toEqual({
      alone: 1,
      email: 6,
      part: expect.any(Number),
      t0: 6,
      t1: 6,
      t2: 6,
      t3: 6,
      t4: 2,
      t5: 6,
      t6: 6,
    })
    expect(rows['part']).toBeGreaterThan(3)
  })

  it('fits foreign keys: composite, to itself, and in cycles', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table tenant (id uuid primary key);
      create table person (tenant uuid not null references tenant, id uuid not null, boss uuid, primary key (tenant, id), foreign key (tenant, boss) references person);
      create table task (tenant uuid not null, person uuid not null, helper uuid, foreign key (tenant, person) references person, foreign key (tenant, helper) references person, check (person <> helper));
      create table own (id uuid primary key, parent uuid not null references own);
      create table counted (id int generated always as identity primary key, parent int not null references counted);
      create table x (id int primary key, y int, name text);
      create table y (id int primary key, x int not null references x);
      alter table x add foreign key (y) references y;
      create table p (id int primary key, q int not null);
      create table q (id int primary key, p int not null references p deferrable);
      alter table p add foreign key (q) references q deferrable initially deferred`,
    )

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const [filled] = await database.connection.send(`
      select
        (select count(*)::int from person where boss is not null) as bosses,
        (select count(*)::int from task where helper is not null) as helpers,
        (select count(*)::int from x where y is not null) as closed`)
    expect(filled).toEqual({ bosses: 2, helpers: expect.any(Number), closed: 1 })
    expect(filled?.['helpers']).toBeGreaterThan(0)
  })

  it('finds its way through many keys that share a column', async () => {
    const columns = Array.from(
      { length: 18 },
      (_, index) => `p${index} uuid, foreign key (tenant, p${index}) references person`,
    )
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table tenant (id uuid primary key);
      create table person (tenant uuid not null references tenant, id uuid not null, primary key (tenant, id));
      create table busy (tenant uuid not null references tenant, ${columns.join(', ')})`,
    )

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const busy = await contentsOf(database.connection, 'busy')
    expect([...(busy?.columns.values() ?? [])].filter(({ filled }) => filled === 0)).toEqual([])
  })

  it('finds values for the types of extensions, and fills no table of theirs', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create extension citext; create extension hstore; create extension ltree; create extension btree_gist;
      create table t (mail citext not null unique, tags hstore not null, place ltree not null, check (mail like '%@%'));
      create table booking (room int not null, during tstzrange not null, exclude using gist (room with =, during with &&));
      create table catalogued (id int);
      alter extension citext add table catalogued`,
    )

    const { tables, without } = await generateRows(database.connection)

    expect({ tables, without }).toEqual({ tables: ['"public"."booking"', '"public"."t"'], without: [] })
    expect((await contentsOf(database.connection, 'booking'))?.rows).toBe(6)
  })

  it('fills partitioned tables within the bounds of their partitions', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table by_day (id int, day date not null) partition by range (day);
      create table by_day_1 partition of by_day for values from ('2031-01-01') to ('2032-01-01');
      create table by_day_2 partition of by_day for values from ('2032-01-01') to ('2033-01-01') partition by list (id);
      create table by_day_2_a partition of by_day_2 for values in (7, 8);
      create table by_word (word text) partition by list (word);
      create table by_word_1 partition of by_word for values in ('north', 'south');
      create table by_hash (id uuid primary key) partition by hash (id);
      create table by_hash_1 partition of by_hash for values with (modulus 2, remainder 1);
      create table none (id int) partition by range (id)`,
    )

    const { tables, without } = await generateRows(database.connection)

    expect(tables).toEqual(['"public"."by_day"', '"public"."by_hash"', '"public"."by_word"'])
    expect(without).toEqual([{ table: '"public"."none"', reason: 'no partition of relation "none" found for row' }])
  })

  it('reports a table that refuses every row, and fills the others', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table a (id int not null check (id <> id));
      create table b (id int primary key check (false));
      create table c (b int not null references b, d int);
      create table d (id int);
      create table e (b int references b);
      create table f (id int);
      create rule quiet as on insert to f do instead nothing`,
    )

    const { tables, without } = await generateRows(database.connection)

    expect(tables).toEqual(['"public"."d"', '"public"."e"'])
    expect(without).toEqual([
      { table: '"public"."a"', reason: 'new row for relation "a" violates check constraint "a_id_check"' },
      { table: '"public"."b"', reason: 'new row for relation "b" violates check constraint "b_check"' },
      { table: '"public"."c"', reason: 'it references "public"."b", which has no rows' },
      { table: '"public"."f"', reason: 'an insert was accepted and left no row: a trigger or a rule keeps it out' },
    ])
  })

  it('switches off triggers that refuse rows, for that time only', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not this way'; end $$;
      create table t (id int);
      create trigger a before insert on t for each row execute function refuse();
      create trigger b before insert on t for each row execute function refuse();
      alter table t enable always trigger b;
      create trigger c before insert on t for each row execute function refuse();
      alter table t disable trigger c`,
    )

    const { without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const states = await database.connection.send(`select tgname, tgenabled from pg_trigger order by tgname`)
    expect(states).toEqual([
      { tgname: 'a', tgenabled: 'O' },
      { tgname: 'b', tgenabled: 'A' },
      { tgname: 'c', tgenabled: 'D' },
    ])
  })

  it('passes by tables that are not for rows of ours', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create schema drover;
      create table drover.run (id int);
      create view v as select 1;
      create unlogged table "Odd ""name""" (";--" int, "select" text);
      create table parent (id int);
      create table child (extra int) inherits (parent);
      create table nothing ()`,
    )

    const { tables, without } = await generateRows(database.connection)

    expect(without).toEqual([])
    expect(tables).toEqual(['"public"."Odd ""name"""', '"public"."child"', '"public"."nothing"', '"public"."parent"'])
    const { tables: contents } = await readContents(database.connection)
    expect([...contents.values()].map(({ rows }) => rows)).toEqual([6, 6, 6, 6])
  })

  it('fills and reads tables that force their policies on their owner, and leaves them so', async () => {
    const role = `drover_rows_${crypto.randomUUID().slice(0, 8)}`
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create role ${role} nosuperuser nobypassrls;
      grant create on schema public to ${role};
      set role ${role};
      create table t (id uuid primary key, name text);
      alter table t enable row level security;
      alter table t force row level security;
      create table u (t uuid not null references t)`,
    )
    const { connection } = database
    try {
      const { without } = await generateRows(connection)

      expect(without).toEqual([])
      expect((await contentsOf(connection, 't'))?.rows).toBe(6)
      expect(await connection.send(`select relforcerowsecurity as forced from pg_class where relname = 't'`)).toEqual([
        { forced: true },
      ])
    } finally {
      await connection.send(`reset role; drop owned by ${role}; drop role ${role}`)
    }
  })

  it('takes a table that had rows before for one that has rows', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table t (id bigint primary key check (id = 1));
      insert into t values (1);
      create table u (t bigint not null references t)`,
    )

    const { tables } = await generateRows(database.connection)

    expect(tables).toEqual(['"public"."t"', '"public"."u"'])
  })

  it('gives the same schema the same rows', async () => {
    const schema = `${declarations}
      create table a (id uuid primary key default gen_random_uuid(), at timestamptz not null default now(), mood mood, mail email);
      create table b (id serial primary key, a uuid references a, amount numeric(8, 2) default random())`
    await using one = await exampleDatabase(inject('serverUrl'), schema)
    await using other = await exampleDatabase(inject('serverUrl'), schema)

    await generateRows(one.connection)
    await generateRows(other.connection)

    expect(await readContents(one.connection)).toEqual(await readContents(other.connection))
  })

  it('leaves the catalogue as it was', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      'create table t (id int check (id::text::int > 1), name text)',
    )
    const count = `select (select count(*) from pg_proc) + (select count(*) from pg_class) + (select count(*) from pg_type) as count`
    const before = await database.connection.send(count)

    await generateRows(database.connection)

    expect(await database.connection.send(count)).toEqual(before)
  })
})

async function contentsOf(connection: Connection, table: string) {
  const { tables } = await readContents(connection)
  return tables.get(`public\0${table}`)
}

function valuesOf(rows: readonly Row[], column: string): readonly unknown[] {
  return rows.map((row) => row[column])
}
