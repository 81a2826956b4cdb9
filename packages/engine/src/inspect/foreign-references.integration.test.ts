import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { buildIn, exampleHistory, hostileNames } from './example-schemas.ts'
import { findForeignReferences } from './foreign-references.ts'

const other = `
create table items (id int primary key);
create type mood as enum ('ok');
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create function twice(a int) returns int language sql immutable as 'select a * 2';
create sequence counter;
create collation plain (locale = 'C');
create operator === (leftarg = int, rightarg = int, function = int4eq);
create table parted (id int) partition by list (id)`

describe('findForeignReferences', () => {
  it('finds what leaves a schema, of every kind', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await buildIn(connection, 'b', other)
    await buildIn(
      connection,
      'a',
      `
create table keyed (id int references b.items);
create view seen as select items.id from b.items;
create materialized view kept as select items.id from b.items;
create table valued (id int default nextval('b.counter'));
create table touched (id int);
create trigger touch before update on touched for each row execute function b.touch();
create table typed (mood b.mood, moods b.mood[]);
create table child () inherits (b.items);
create table part partition of b.parted for values in (1);
create table guarded (id int);
create policy own on guarded using (exists (select from b.items));
create table checked (id int check (b.twice(id) > 0));
create table compared (id int check (id operator(b.===) 1));
create table indexed (id int);
create index by_twice on indexed (b.twice(id));
create table collated (name text collate b.plain);
create table ruled (id int);
create rule quiet as on delete to ruled do instead delete from b.items;
create function f(m b.mood) returns b.mood begin atomic select m; end;
create function g() returns b.items language sql as 'select null::b.items';
create domain happy as b.mood;
create type pair as (m b.mood);
create sequence a.counted;
create table b.counting (id int);
create table generated (id int, double int generated always as (b.twice(id)) stored)`,
    )

    const found = await findForeignReferences(connection, ['a'], [])

    expect(found.map(({ object, to }) => `${object} > ${to}`)).toEqual([
      'composite type column a.pair.m > type b.mood',
      'default value for a.generated.double > function b.twice(integer)',
      'default value for a.valued.id > sequence b.counter',
      'function a.f(b.mood) > type b.mood',
      'function a.g() > type b.items',
      'index a.by_twice > function b.twice(integer)',
      'materialized view a.kept > table column b.items.id',
      'policy own on a.guarded > table b.items',
      'rule quiet on a.ruled > table b.items',
      'table a.child > table b.items',
      'table a.part > table b.parted',
      'table column a.collated.name > collation b.plain',
      'table column a.typed.mood > type b.mood',
      'table column a.typed.moods > type b.mood[]',
      'table constraint checked_id_check on a.checked > function b.twice(integer)',
      'table constraint compared_id_check on a.compared > operator b.===(integer,integer)',
      'table constraint keyed_id_fkey on a.keyed > table column b.items.id',
      'trigger touch on a.touched > function b.touch()',
      'type a.happy > type b.mood',
      'view a.seen > table column b.items.id',
    ])
    expect(new Set(found.map(({ schema, toSchema }) => `${schema} > ${toSchema}`))).toEqual(new Set(['a > b']))
  })

  it('finds nothing in schemas that keep to themselves, whatever their names', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of hostileNames) await buildIn(connection, name, exampleHistory)

    expect(await findForeignReferences(connection, [...hostileNames, 'nowhere'], [])).toEqual([])
    expect(await findForeignReferences(connection, [], [])).toEqual([])
  })

  it('tells whoever refers, and not whom he refers to', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await buildIn(connection, 'tenant_a', other)
    await buildIn(connection, 'tenant_a1', 'create table keyed (id int references tenant_a.items)')

    expect(await findForeignReferences(connection, ['tenant_a'], [])).toEqual([])
    expect(await findForeignReferences(connection, ['tenant_a', 'tenant_a1'], [])).toEqual([
      {
        schema: 'tenant_a1',
        object: 'table constraint keyed_id_fkey on tenant_a1.keyed',
        toSchema: 'tenant_a',
        to: 'table column tenant_a.items.id',
      },
    ])
  })

  it('lets schemas be referred to that are allowed, and what belongs to PostgreSQL', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send('create extension citext schema public')
    await buildIn(connection, 'shared-1', other)
    const uses = `create table items (name public.citext, id int references "shared-1".items);
create view seen as select table_name from information_schema.tables`
    await buildIn(connection, 'tenant_a', uses)

    expect(await findForeignReferences(connection, ['tenant_a'], ['public', 'shared-1'])).toEqual([])
    expect(await findForeignReferences(connection, ['tenant_a'], ['shared-1'])).toMatchObject([
      { object: 'table column tenant_a.items.name', to: 'type public.citext' },
    ])
  })
})
