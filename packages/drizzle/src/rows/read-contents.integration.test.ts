import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { readContents } from './read-contents.ts'

const schema = `create table t (id int, name varchar(9)); create schema app; create table app."T.x" (at timestamptz)`

describe('readContents', () => {
  it('tells rows, types and filled values by table and column', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `${schema}; insert into t values (1, 'a'), (2, null), (3, '')`,
    )

    const { tables } = await readContents(database.connection)

    expect([...tables.keys()]).toEqual(['app\0T.x', 'public\0t'])
    expect(tables.get('app\0T.x')?.rows).toBe(0)
    expect(tables.get('public\0t')).toEqual({
      rows: 3,
      columns: new Map([
        ['id', { type: 'integer', filled: 3, hash: expect.stringMatching(/^[0-9a-f]{32}$/) }],
        ['name', { type: 'character varying(9)', filled: 2, hash: expect.stringMatching(/^[0-9a-f]{32}$/) }],
      ]),
    })
  })

  it('gives the same hash for the same values in another order, and another for other values', async () => {
    const hashes = await hashesOf([
      `(1, 'a'), (2, 'b')`,
      `(2, 'b'), (1, 'a')`,
      `(1, 'b'), (2, 'a')`,
      `(1, 'a'), (2, 'b'), (2, 'b')`,
      `(1, 'a,b')`,
      `(1, ''), (2, null)`,
      `(1, null), (2, null)`,
    ])

    expect(hashes[1]).toBe(hashes[0])
    expect(hashes[2]).toBe(hashes[0])
    expect(new Set(hashes).size).toBe(hashes.length - 2)
  })

  it('does not depend on how a session shows its values', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table t (at timestamptz, data bytea, ratio float8, span interval);
      insert into t values ('2026-01-02 03:04:05+00', '\\x00ff', 0.1, '1 day 2 hours')`,
    )
    const before = await readContents(database.connection)
    await database.connection.send(
      `set timezone = 'Asia/Tokyo'; set bytea_output = 'escape'; set extra_float_digits = -3; set intervalstyle = 'iso_8601'; set datestyle = 'German'`,
    )

    expect(await readContents(database.connection)).toEqual(before)
  })

  it('counts the rows of partitions under their parent, and those of an inheriting table once', async () => {
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create table parted (id int) partition by range (id);
      create table part partition of parted for values from (1) to (10);
      insert into parted values (1), (2);
      create table parent (id int);
      create table child () inherits (parent);
      insert into child values (1);
      create view v as select 1 as one`,
    )

    const { tables } = await readContents(database.connection)

    const rows = [...tables].map(([table, contents]) => [table.split('\0')[1], contents.rows])
    expect(rows).toEqual([
      ['child', 1],
      ['parent', 0],
      ['parted', 2],
    ])
  })

  it('reads composite values, wide tables and tables without columns', async () => {
    const columns = Array.from({ length: 300 }, (_, index) => `c${index} int default ${index}`).join(', ')
    await using database = await exampleDatabase(
      inject('serverUrl'),
      `create type pair as (a int, b int);
      create table pairs (value pair);
      insert into pairs values ('(1,)'), ('(,)'), (null);
      create table nothing ();
      insert into nothing default values;
      create table wide (${columns});
      insert into wide default values`,
    )

    const { tables } = await readContents(database.connection)

    expect(tables.get('public\0pairs')?.columns.get('value')?.filled).toBe(2)
    expect(tables.get('public\0nothing')).toEqual({ rows: 1, columns: new Map() })
    expect(tables.get('public\0wide')?.columns.size).toBe(300)
  })

  it('reads nothing of an empty database', async () => {
    await using database = await exampleDatabase(inject('serverUrl'), 'select 1')

    expect(await readContents(database.connection)).toEqual({ tables: new Map() })
  })
})

/** The hash of the column `name` for several lists of rows. */
async function hashesOf(lists: readonly string[]): Promise<readonly string[]> {
  await using database = await exampleDatabase(inject('serverUrl'), schema)
  const hashes: string[] = []
  for (const list of lists) {
    await database.connection.send(`truncate t; insert into t values ${list}`)
    const { tables } = await readContents(database.connection)
    hashes.push(tables.get('public\0t')?.columns.get('name')?.hash ?? 'none')
  }
  return hashes
}
