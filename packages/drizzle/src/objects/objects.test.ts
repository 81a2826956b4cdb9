import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { DroverError } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleObjects, firstFiles } from './example-objects.ts'
import type { ObjectFile } from './object-file.ts'
import { changeObjects, checkObjects, creationOrder } from './objects.ts'
import { readObjects } from './read-objects.ts'

const nothing = { before: [], early: [], late: [], gaps: [] }

function fileOf(...statements: readonly string[]): readonly ObjectFile[] {
  return statements.map((sql, at) => ({ file: `${at}.sql`, sql }))
}

/** With a line break for every blank that is not in a string. */
function spreadOut(sql: string): string {
  const parts = sql.split("'").map((part, at) => (at % 2 === 0 ? part.replaceAll(' ', '\n  ') : part))
  return parts.join("'")
}

function withHead(head: string): string {
  return `create function ${head}${head.includes('returns') ? '' : ' returns int'} language sql as 'select 1'`
}

/** Files of which the second declares the view `a`, and most others rest on it. */
function aroundView(view: string): readonly ObjectFile[] {
  return fileOf(
    `create view b as select * from a`,
    view,
    `comment on view b is 'Over a.'`,
    `create view c as select 1 as n`,
    `grant select on b to reader`,
    `create function f() returns setof b language sql as 'select * from b'`,
  )
}

describe('changeObjects', () => {
  it.each(exampleObjects)('takes $file away with what undoes it', async ({ sql, undo }) => {
    const { before, early, late, gaps } = await changeObjects(fileOf(sql), [])

    expect({ early, gaps }).toEqual({ early: [], gaps: [] })
    expect([...before, ...late]).toEqual(undo)
  })

  it.each(exampleObjects)('creates $file as it is written', async ({ file, sql }) => {
    const { before, early, late, gaps } = await changeObjects([], [{ file, sql }])

    expect({ before, gaps }).toEqual({ before: [], gaps: [] })
    const [creating = ''] = sql.split('-- drover:drop')
    expect(`${[...early, ...late].join(';\n')};`.split('\n').toSorted()).toEqual(creating.trim().split('\n').toSorted())
  })

  it.each(exampleObjects)('has nothing to do for $file when it is only formatted', async ({ sql }) => {
    const [creating = '', dropping] = sql.split('-- drover:drop')
    const formatted = `-- Formatted.\n${creating.includes('$') ? creating : spreadOut(creating)}`
    const other = dropping === undefined ? formatted : `${formatted}\n-- drover:drop${dropping}`

    expect(await changeObjects(fileOf(sql), fileOf(other))).toEqual(nothing)
  })

  it('has nothing to do when a file gets another name', async () => {
    const moved = firstFiles().map(({ file, sql }) => ({ file: `moved/${file}`, sql }))

    expect(await changeObjects(firstFiles(), moved)).toEqual(nothing)
  })

  it.each([
    ['create view v as select 1', 'create or replace view v as select 1'],
    ['create extension hstore', 'create extension if not exists hstore'],
  ])('has nothing to do when it is only said what happens to one that is there: %s', async (one, other) => {
    expect(await changeObjects(fileOf(one), fileOf(other))).toEqual(nothing)
  })

  it('says that the owner of a schema is not carried over', async () => {
    const { gaps } = await changeObjects(fileOf('create schema app'), fileOf('create schema app authorization a'))

    expect(gaps).toEqual(['schema app has another owner now, which is not carried over'])
  })

  it('sees white space in the body of a function', async () => {
    const one = 'create function f() returns int language sql as $$ select 1 $$'
    const other = 'create function f() returns int language sql as $$ select  1 $$'

    expect((await changeObjects(fileOf(one), fileOf(other))).early).toEqual([
      'create or replace function f() returns int language sql as $$ select  1 $$',
    ])
  })

  it.each([
    ['takes something else', 'f(a text)', 'f(a int)', 'drop function f(text)'],
    ['names what it takes differently', 'f(a text)', 'f(b text)', 'drop function f(text)'],
    ['returns something else', 'f() returns int', 'f() returns bigint', 'drop function f()'],
    ['loses a default', `f(a text default '')`, 'f(a text)', 'drop function f(text)'],
  ])('drops and creates a function that %s', async (_, one, other, drop) => {
    const { before, early, late } = await changeObjects(fileOf(withHead(one)), fileOf(withHead(other)))

    expect(early).toEqual([withHead(other)])
    expect([...before, ...late]).toEqual([drop])
  })

  it('replaces a function that only gains a default', async () => {
    const one = `create function f(a text) returns int language sql as 'select 1'`
    const other = `/* now with a default */ create function f(a text default '') returns int language sql as 'select 1'`

    expect(await changeObjects(fileOf(one), fileOf(other))).toEqual({
      ...nothing,
      early: [other.replace('*/ create', '*/\ncreate or replace')],
    })
  })

  it('takes what rests on something changed away with it, and brings it back', async () => {
    const one = aroundView('create view a as select 1 as n')

    expect(await changeObjects(one, aroundView('create view a as select 2 as n'))).toEqual({
      ...nothing,
      before: ['drop function f()', 'drop view b', 'drop view a'],
      late: [
        'create view a as select 2 as n',
        'create view b as select * from a',
        `create function f() returns setof b language sql as 'select * from b'`,
        'grant select on b to reader',
        `comment on view b is 'Over a.'`,
      ],
    })
  })

  it('changes a comment without taking it away first', async () => {
    const [one, other] = [`comment on table t is 'One'`, `comment on table t is 'Other'`]

    expect(await changeObjects(fileOf(one), fileOf(other))).toEqual({ ...nothing, late: [other] })
  })

  it('adds values to an enum where they belong, and makes it anew when any go', async () => {
    const one = fileOf(`create type mood as enum ('ok')`)
    const other = fileOf(`create type mood as enum ('sad', 'ok', 'it''s fine')`)

    expect(await changeObjects(one, other)).toEqual({
      ...nothing,
      early: [`alter type mood add value 'sad' before 'ok'`, `alter type mood add value 'it''s fine' after 'ok'`],
    })
    expect(await changeObjects(other, one)).toEqual({
      ...nothing,
      before: ['drop type mood'],
      early: [`create type mood as enum ('ok')`],
    })
  })

  it('keeps the position of a sequence', async () => {
    const one = fileOf('create sequence s as int increment by -1 maxvalue 9 start with 5')
    const other = fileOf('create sequence s cache 3')

    expect((await changeObjects(one, other)).early).toEqual([
      'alter sequence s as bigint increment by 1 no maxvalue start with 1 cache 3',
    ])
    expect((await changeObjects(other, one)).early).toEqual([
      'alter sequence s cache 1 as int increment by -1 maxvalue 9 start with 5',
    ])
  })

  it('moves and updates an extension', async () => {
    const one = fileOf('create extension hstore')
    const other = fileOf(`create extension if not exists hstore with schema app version '1.8'`)

    expect((await changeObjects(one, other)).early).toEqual([
      'alter extension hstore set schema app',
      `alter extension hstore update to '1.8'`,
    ])
    expect((await changeObjects(other, one)).early).toEqual(['alter extension hstore set schema public'])
  })

  it('drops what tables may use after they changed, and what may use them before', async () => {
    const { before, late } = await changeObjects(
      fileOf(
        `create domain email as text`,
        `create view v as select 1 as n`,
        `create function f(e email) returns int language sql as 'select 1'`,
        `create function g() returns int language sql as 'select count(*)::int from v'`,
      ),
      [],
    )

    expect(before).toEqual(['drop function g()', 'drop view v'])
    expect(late).toEqual(['drop function f(email)', 'drop domain email'])
  })

  it('drops a type first when another takes its name', async () => {
    const one = fileOf(`create type code as enum ('a')`)
    const other = fileOf(`create domain code as text`)

    expect(await changeObjects(one, other)).toEqual({
      ...nothing,
      before: ['drop type code'],
      early: ['create domain code as text'],
    })
  })

  it.each([
    ['%rowtype', 'declare r users%rowtype; begin end'],
    ['an enum of the tables', 'declare m mood; begin end'],
  ])('lets a function with a variable of %s wait for the tables', async (_, body) => {
    const sql = `create function f() returns void language plpgsql as $$ ${body} $$`

    expect(await changeObjects([], fileOf(sql))).toEqual({ ...nothing, late: [sql] })
  })

  it('replaces a constraint of a table, and puts back what was there', async () => {
    const replaced =
      'alter table t drop constraint c, add constraint c foreign key (a, b) references u (a, b) on delete'
    const [plain, narrow] = [`${replaced} set null`, `${replaced} set null (b)`]
    const files = fileOf(`-- Keeps a.\n${narrow};\n\n-- drover:drop\n${plain};\n`)

    expect(await changeObjects([], files)).toEqual({ ...nothing, late: [`-- Keeps a.\n${narrow}`] })
    expect(await changeObjects(files, [])).toEqual({ ...nothing, before: [plain] })
  })

  it.each([
    ['grant usage on schema s to r with grant option', 'revoke usage on schema s from r'],
    ['grant select on "to" to "from"', 'revoke select on "to" from "from"'],
    ['revoke execute on function f(int) from public cascade', 'grant execute on function f(int) to public'],
    [
      'alter default privileges for role a revoke all on functions from public',
      'alter default privileges for role a grant all on functions to public',
    ],
    [`comment on column t.é is 'is ''it'' é'`, 'comment on column t.é is null'],
    ['create trigger "T" before insert on "order" execute function f()', 'drop trigger "T" on "order"'],
    [
      'create function "F"(int4, out x text, variadic y s.mood[]) language sql as $$$$',
      'drop function "F"(int4, s.mood[])',
    ],
    ['create aggregate s.total(*) (sfunc = f, stype = int)', 'drop aggregate s.total(*)'],
    ['create event trigger e on ddl_command_end execute function f()', 'drop event trigger e'],
    ['create constraint trigger k after insert on s.t for each row execute function f()', 'drop trigger k on s.t'],
    ['create index i on s.t (a)', 'drop index s.i'],
    ['alter table s.t enable row level security', 'alter table s.t disable row level security'],
  ])('undoes: %s', async (sql, undo) => {
    const { before, late } = await changeObjects(fileOf(sql), [])

    expect([...before, ...late]).toEqual([undo])
  })
})

describe('creationOrder', () => {
  it('leaves out how objects are undone', async () => {
    expect(
      await creationOrder(fileOf('create cast (a as b) without function;\n-- drover:drop\ndrop cast (a as b);')),
    ).toEqual([{ file: '0.sql', sql: 'create cast (a as b) without function;\n' }])
  })

  it('goes by need, then by kind, then by path', async () => {
    const files = fileOf(
      `comment on table t is 'T'`,
      `create trigger g after insert on t execute function f()`,
      `create domain b as a check (value > 0)`,
      `create function f() returns trigger language plpgsql as $$ begin return null; end $$`,
      `create domain a as int`,
      `create function h() returns int language sql as 'select count(*)::int from v'`,
      `create view v as select 1`,
    )

    expect((await creationOrder(files)).map(({ file }) => file[0])).toEqual(['4', '2', '3', '6', '5', '1', '0'])
  })
})

async function read(files: Readonly<Record<string, string>>): Promise<readonly ObjectFile[]> {
  const root = await mkdtemp(join(tmpdir(), 'objects-'))
  try {
    for (const [file, sql] of Object.entries(files)) {
      const path = join(root, 'databases/main/objects', file)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, sql)
    }
    const objects = await readObjects(root, 'databases/main/objects')
    await checkObjects(objects, 'databases/main/objects')
    return objects
  } finally {
    await rm(root, { recursive: true })
  }
}

async function problemsOf(files: Readonly<Record<string, string>>) {
  const error: unknown = await read(files).catch((thrown: unknown) => thrown)
  if (!(error instanceof DroverError)) throw new Error(`it did not refuse: ${JSON.stringify(error)}`)
  return error.problems
}

describe('reading and checking objects', () => {
  it('reads SQL files in the order of their paths, and nothing else', async () => {
    const [a, b] = ['create view a as select 1;\n', 'create view b as select 1;\n']

    expect(await read({ 'views/b.sql': b, 'a.sql': a, 'README.md': 'Views.' })).toEqual([
      { file: 'a.sql', sql: a },
      { file: 'views/b.sql', sql: b },
    ])
  })

  it('reads the same text from every system', async () => {
    const sql = '\uFEFFcreate view a as select 1;\r\n-- drover:drop\r\ndrop view a;\r\n'

    expect(await read({ 'a.sql': sql })).toEqual([
      { file: 'a.sql', sql: 'create view a as select 1;\n-- drover:drop\ndrop view a;\n' },
    ])
  })

  it('finds nothing in a folder that is not there', async () => {
    expect(await readObjects(tmpdir(), 'databases/nowhere/objects')).toEqual([])
  })

  it.each([
    ['is empty', '-- Nothing yet.\n', 'f.sql:1: declares nothing'],
    ['is no SQL', '\n\ncreate view v select 1', 'f.sql:3: syntax error at or near "select"'],
    [
      'never ends',
      'create function f() returns int language sql as $$\nselect 1',
      'f.sql:1: a dollar quote is opened here and never closed',
    ],
    [
      'declares two objects',
      'create view a as select 1;\ncreate view b as select 1;',
      'f.sql:2: view public.b stands beside view public.a',
    ],
    [
      'comments on another object',
      `create view a as select 1;\ncomment on view b is 'B';`,
      'f.sql:2: it says nothing about view public.a, which this file declares',
    ],
    ['declares a table', 'create table t (id int);', 'f.sql:1: tables are declared in the Drizzle schema'],
    [
      'changes a column',
      'alter table t alter column a set not null',
      'f.sql:1: columns of tables are declared in the Drizzle schema',
    ],
    ['changes rows', 'update t set a = 1', 'f.sql:1: it does not declare an object'],
    ['drops something', 'drop view v', 'f.sql:1: it drops something'],
    ['runs code', 'do $$ begin end $$', 'f.sql:1: it does not declare an object'],
    ['is about the server', 'create role r', 'f.sql:1: it does not declare an object'],
    [
      'makes an index concurrently',
      'create index concurrently i on t (a)',
      'f.sql:1: an index cannot be made concurrently here',
    ],
    ['leaves an index without a name', 'create index on t (a)', 'f.sql:1: the index has no name'],
    ['leaves a constraint without a name', 'alter table t add check (a > 0)', 'f.sql:1: the constraint has no name'],
    [
      'adds two constraints',
      'alter table t add constraint a check (true), add constraint b check (true)',
      'f.sql:1: it changes several things of a table at once',
    ],
    [
      'grants on a whole schema',
      'grant select on all tables in schema s to r',
      'f.sql:1: it grants on what happens to be in the schema when it runs',
    ],
    [
      'does not say how to undo a cast',
      '\ncreate cast (a as b) without function',
      'f.sql:2: how to undo create cast (a as b) without function cannot be worked out',
    ],
    [
      'does not say what was there before a constraint',
      'alter table t drop constraint c, add constraint c unique (a)',
      'f.sql:1: how to undo constraint c of public.t cannot be worked out',
    ],
    ['undoes with nothing', 'create view v as select 1;\n-- drover:drop\n', 'f.sql:2: nothing follows -- drover:drop'],
    [
      'undoes with something else',
      'create view v as select 1;\n-- drover:drop\n\ndorp view v;',
      'f.sql:4: syntax error at or near "dorp"',
    ],
  ])('refuses a file that %s', async (_, sql, message) => {
    const problems = await problemsOf({ 'f.sql': sql })

    expect(problems.map((problem) => problem.message)).toEqual([`databases/main/objects/${message}`])
    expect(problems[0]).toMatchObject({
      code: 'OBJECT_INVALID',
      file: 'databases/main/objects/f.sql',
      hint: expect.any(String),
    })
  })

  it.each([
    ['create view v as select 1', 'create view public.v as select 2', 'view public.v'],
    [
      'create function f(int) returns int language sql as $$$$',
      'create function f(a integer) returns text language sql as $$$$',
      'function public.f(integer)',
    ],
    [`comment on column t.a is 'A'`, `comment on column public.t.a is 'B'`, 'comment on column public.t.a'],
    ['grant select on t to r', 'grant  select on t to r', 'grant select on t to r'],
  ])('names both files that declare the same: %s', async (one, other, title) => {
    expect((await problemsOf({ 'a.sql': one, 'b/c.sql': other })).map(({ message }) => message)).toEqual([
      `databases/main/objects/b/c.sql:1: ${title} is also declared in databases/main/objects/a.sql:1`,
    ])
  })

  it('takes functions of one name that differ in what they take', async () => {
    const [a, b] = ['int', 'text'].map((type) => `create function f(a ${type}) returns int language sql as 'select 1'`)

    expect(await read({ 'a.sql': a!, 'b.sql': b! })).toHaveLength(2)
  })

  it('reports all that is wrong in all files', async () => {
    const files = { 'a.sql': 'create table a (b int)', 'b.sql': '', 'c.sql': 'create view v as select 1' }

    expect((await problemsOf(files)).map(({ file }) => file)).toEqual([
      'databases/main/objects/a.sql',
      'databases/main/objects/b.sql',
    ])
  })
})
