import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { readCatalog } from './catalog.ts'
import { compareCatalogs } from './compare-catalogs.ts'
import { buildIn, exampleHistory, hostileNames } from './example-schemas.ts'
import { readSchemaCatalog } from './schema-catalog.ts'

describe('readSchemaCatalog', () => {
  it('reads of every schema what readCatalog reads of the schema public where the same history was built', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await using shadow = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of hostileNames) await buildIn(connection, name, exampleHistory)
    await buildIn(shadow.connect(), 'public', exampleHistory)

    const read = new Map<string, readonly string[]>()
    for (const name of hostileNames) read.set(name, await readSchemaCatalog(connection, name))

    const expected = (await readCatalog(shadow.connect())).filter((line) => !/^(?:extension|schema) /.test(line))
    // It says where it is to look for names: the one thing that readCatalog tells as a text.
    expect(expected).toContain("function public.touch() 0004:  SET search_path TO 'public'")
    expect(await readSchemaCatalog(shadow.connect(), 'public')).toEqual(expected)
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(hostileNames.map((name) => [name, expected])))
  })

  it('puts any name in place of its own', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    for (const name of hostileNames) await buildIn(connection, name, exampleHistory)
    const expected = (await readCatalog(connection)).filter((line) => /^[a-z ]+ (?:in schema )?"tenant_a-b"/.test(line))

    for (const name of hostileNames) {
      const lines = await readSchemaCatalog(connection, name, 'tenant_a-b')

      expect(lines.filter((line) => /^[a-z ]+ "tenant_a-b"/.test(line))).toEqual(
        expected.filter((line) => !line.startsWith('schema ')),
      )
    }
  })

  it('has nothing of a schema that is not there, of other schemas, and of the schema itself', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send(
      `create schema a; create table a.items (); create schema b; grant usage on schema b to public; comment on schema b is 'x'`,
    )

    expect(await readSchemaCatalog(connection, 'a')).toEqual(['table public.items: persistent'])
    expect(await readSchemaCatalog(connection, 'b')).toEqual([])
    expect(await readSchemaCatalog(connection, 'c')).toEqual([])
  })

  it('tells a schema that is really called so from the one that is given the name', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await using shadow = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send('create table public.items (id int primary key)')
    await buildIn(connection, 'right', writeUses(''))
    await buildIn(connection, 'wrong', writeUses('public.'))
    await buildIn(shadow.connect(), 'public', writeUses(''))

    const expected = await readSchemaCatalog(shadow.connect(), 'public')

    expect(await readSchemaCatalog(connection, 'right')).toEqual(expected)
    expect(compareCatalogs(expected, await readSchemaCatalog(connection, 'wrong'))).toEqual([
      {
        object: 'table public.parts',
        part: 'column place',
        kind: 'different',
        expected: `regclass default 'public.items'::regclass`,
        found: `regclass default '"public".items'::regclass`,
      },
      {
        object: 'table public.parts',
        part: 'constraint parts_item_fkey',
        kind: 'different',
        expected: 'FOREIGN KEY (item) REFERENCES public.items(id)',
        found: 'FOREIGN KEY (item) REFERENCES "public".items(id)',
      },
      expect.objectContaining({ object: 'view public.seen', part: 'definition', kind: 'different' }),
    ])
  })

  it('names what belongs to an extension alike, whether or not the schema is the one where it is', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await using shadow = await exampleDatabase(inject('serverUrl'))
    const uses = `create table items (name public.citext, check (name operator(public.=) 'x'::public.citext));
create index by_name on items using gin (lower(name::text) public.gin_trgm_ops);
create function f(a public.citext) returns real language sql return public.similarity(a::text, 'x')`
    for (const one of [database, shadow]) await one.connect().send('create extension citext; create extension pg_trgm')
    await buildIn(database.connect(), 'tenant_a', uses)
    await buildIn(shadow.connect(), 'public', uses)

    const lines = await readSchemaCatalog(database.connect(), 'tenant_a')

    expect(lines).toEqual(await readSchemaCatalog(shadow.connect(), 'public'))
    expect(lines).toContain('table public.items column name: #1 public.citext')
  })

  it('refuses a schema that it may not use', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    const nobody = `"${database.url.database}"`
    await connection.send(`create schema a; create role ${nobody}; set session role ${nobody}`)

    await expect(readSchemaCatalog(connection, 'a')).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' })

    await connection.send(`reset role; drop role ${nobody}`)
  })
})

/** A history that names a table of its own with a schema, or with none, and has texts that look like it. */
const writeUses = (schema: string) => `create table items (id int primary key, name text default 'public.items');
create view seen as select id, 'public.items'::text as name from ${schema}items;
create table parts (item int references ${schema}items, place regclass default '${schema}items');
create function f() returns text language sql as $$ select 'public.items' $$;`
