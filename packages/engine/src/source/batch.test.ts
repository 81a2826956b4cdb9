import type { Batch, Problem } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleScripts } from '../run/example-plan.ts'
import { fillRange, parseKey } from './batch.ts'
import { findScriptProblems } from './script.ts'

const byKey: Batch = { range: { key: 'public.users.id', size: 10 }, pauseMs: 0 }
const untilUnchanged: Batch = { pauseMs: 0 }

function problemsOf(up: string, batch: Batch): readonly Problem[] {
  return findScriptProblems(exampleScripts([{ up, batch }])[0]!)
}

describe('a key', () => {
  it.each([
    ['public.users.id', '"public"."users"', '"id"'],
    ['users.id', '"users"', '"id"'],
    ['Public.Users.ID', '"public"."users"', '"id"'],
    ['"Crm"."Us.ers"."a""b"', '"Crm"."Us.ers"', '"a""b"'],
    ['größen.wert', '"größen"', '"wert"'],
  ])('%s is a column of a table', (key, table, column) => {
    expect(parseKey(key)).toEqual({ table, column })
  })

  it.each([
    '',
    'id',
    'a.b.c.d',
    'users.',
    '.id',
    'users id',
    'users.id; drop table users',
    'users."id',
    '1.id',
    'users..id',
  ])('%j is none', (key) => {
    expect(parseKey(key)).toBeUndefined()
  })
})

describe('a statement that is repeated', () => {
  it.each([
    'update users set n = 1 where id > :from and id <= :to',
    'UPDATE users SET n = 1 WHERE id >:from AND id <= /* the last */ :to',
    'delete from users where id > -- over\n:from and id <=:to',
    'insert into other select * from users where id > :from and id <= :to on conflict do nothing',
    'with part as (select * from users where id > :from and id <= :to) update other set n = 1 from part where part.id = other.id',
    'merge into a using b on a.id = b.id when matched and a.id > :from and a.id <= :to then do nothing',
    `update users set n = '> :to', a[1:2] = array[1], "x:from" = id::int, t = $$:from$$ where id > :from and id <= :to;`,
  ])('has both sides of a range: %s', (sql) => {
    expect(problemsOf(sql, byKey)).toEqual([])
  })

  it.each([
    'update users set n = 1 where ctid in (select ctid from users where n = 0 limit 10)',
    'delete from users where id in (select id from users limit 10)',
    `with gone as (delete from a where id in (select id from a limit 9) returning *) insert into b select * from gone`,
    `update users set "x:from" = ':to' where n = 0 -- :from`,
  ])('needs none until it changes nothing: %s', (sql) => {
    expect(problemsOf(sql, untilUnchanged)).toEqual([])
  })

  it.each<[sql: string, batch: Batch, told: string]>([
    ['', byKey, 'has 0 statements instead of one'],
    ['update a set n = 1; update b set n = 1', untilUnchanged, 'has 2 statements instead of one'],
    ['create table t ()', untilUnchanged, 'its statement is none that changes rows'],
    ['select * from users where id > :from and id <= :to', byKey, 'its statement is none that changes rows'],
    [`do $$ begin update users set n = 1; end $$`, untilUnchanged, 'its statement is none that changes rows'],
    [
      'with gone as (delete from a returning *) select count(*) from gone',
      untilUnchanged,
      'its statement is none that changes rows',
    ],
    [`insert into users values ('select')`, untilUnchanged, 'its statement is none that changes rows'],
    ['truncate users', untilUnchanged, 'its statement is none that changes rows'],
    ['update users set n = 1 where id > :from', byKey, ':to is missing'],
    [`update users set n = ':from' where id <= :to`, byKey, ':from is missing'],
    ['update users set n = 1', byKey, ':from is missing'],
    ['update users set n = 1 where id >= :from and id <= :to', byKey, ':from does not stand behind ">"'],
    ['update users set n = 1 where id between :from and :to', byKey, ':from does not stand behind ">"'],
    ['update users set n = 1 where id > :from and id < :to', byKey, ':to does not stand behind "<="'],
    ['update users set n = 1 where :to >= id and id > :from', byKey, ':to does not stand behind "<="'],
    [`update users set n = 1 where a ->> :from = 'x' and id <= :to`, byKey, ':from does not stand behind ">"'],
    ['update users set n = 1 where id > :from', untilUnchanged, ':from is for batches by a key'],
    ['update users set n = 1 where id > ::from and id <= :to', byKey, ':from is missing'],
  ])('is refused when it is %j', (sql, batch, told) => {
    const [problem, ...others] = problemsOf(sql, batch)
    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'REVISION_INVALID', file: 'migrations/1/migration.sql' })
    expect(problem?.message).toContain(`runs in batches, and ${told}`)
    expect(problem?.hint).not.toBe('')
  })

  it('is refused with the line of what is wrong', () => {
    expect(problemsOf('-- why\nupdate users set n = 1\nwhere id >= :from\nand id <= :to', byKey)).toMatchObject([
      { line: 3, message: expect.stringContaining('migration.sql:3: ') },
    ])
  })

  it('is any script on its way down', () => {
    const [script] = exampleScripts([{ up: '', down: 'drop table a; drop table b', batch: byKey }], 'down')
    expect(findScriptProblems(script!)).toEqual([])
  })
})

describe('fillRange', () => {
  const text = `update t set a = ':from' where id > :from and id <= :to`

  it('puts both sides of a range in', () => {
    expect(fillRange(text, { from: `'1'::int8`, to: `'9'::int8` }).sql).toBe(
      `update t set a = ':from' where id > '1'::int8 and id <= '9'::int8`,
    )
  })

  it('leaves the lower side of the first range open', () => {
    expect(fillRange(text, { to: `'9'::int8` }).sql).toBe(
      `update t set a = ':from' where id <= '9'::int8 and id <= '9'::int8`,
    )
  })
})
