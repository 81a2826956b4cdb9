import { describe, expect, it } from 'vitest'

import { withoutPlaces } from './catalog-line.ts'
import { compareCatalogs } from './compare-catalogs.ts'

const users = [
  'table app.users column code: #2 text',
  'table app.users column code comment: a secret',
  'table app.users column id: #1 integer not null',
  'table app.users constraint users_pkey: PRIMARY KEY (id)',
  'table app.users index users_pkey: CREATE UNIQUE INDEX users_pkey ON app.users USING btree (id)',
  'table app.users: persistent',
]

describe('compareCatalogs', () => {
  it('finds nothing between catalogues that say the same, wherever the columns stand', () => {
    const moved = users.map((line) => line.replace('#1', '#7'))

    expect(compareCatalogs(users, users)).toEqual([])
    expect(compareCatalogs(users, moved)).toEqual([])
    expect(compareCatalogs(withoutPlaces(users), moved)).toEqual([])
  })

  it('tells an object that only one has as one difference, with everything that it consists of', () => {
    const everything = [
      'persistent',
      'column code: text',
      'column code comment: a secret',
      'column id: integer not null',
      'constraint users_pkey: PRIMARY KEY (id)',
      'index users_pkey: CREATE UNIQUE INDEX users_pkey ON app.users USING btree (id)',
    ].join('\n')

    const object = 'table app.users'
    expect(compareCatalogs(users, [])).toEqual([{ object, kind: 'missing', expected: everything }])
    expect(compareCatalogs([], users)).toEqual([{ object, kind: 'unexpected', found: everything }])
  })

  it('tells a part that says something else', () => {
    const found = users.map((line) => line.replace('#1 integer not null', '#1 bigint not null'))

    expect(compareCatalogs(users, found)).toEqual([
      {
        object: 'table app.users',
        part: 'column id',
        kind: 'different',
        expected: 'integer not null',
        found: 'bigint not null',
      },
    ])
  })

  it('does not tell what goes with something else: the comment of a column, the index of a constraint', () => {
    const found = users.filter((line) => !/ (?:column code|constraint|index)/.test(line))

    expect(compareCatalogs(users, found).map(({ part, kind }) => [part, kind])).toEqual([
      ['column code', 'missing'],
      ['constraint users_pkey', 'missing'],
    ])
    expect(compareCatalogs(found, users).map(({ part, kind }) => [part, kind])).toEqual([
      ['column code', 'unexpected'],
      ['constraint users_pkey', 'unexpected'],
    ])
  })

  it('tells a comment or an index alone when that is all that differs', () => {
    const without = users.filter((line) => !/ (?:column code comment|index)/.test(line))

    expect(compareCatalogs(users, without).map(({ part, kind }) => [part, kind])).toEqual([
      ['column code comment', 'missing'],
      ['index users_pkey', 'missing'],
    ])
  })

  it('joins the lines of a definition', () => {
    expect(compareCatalogs(touch('return new;'), touch('return old;'))).toEqual([
      {
        object: 'function app.touch()',
        kind: 'different',
        expected: 'CREATE FUNCTION app.touch()\nreturn new;',
        found: 'CREATE FUNCTION app.touch()\nreturn old;',
      },
    ])
  })

  it.each<[line: string, object: string, part: string | undefined]>([
    ['table app."a: b" column "c "" comment: 0001": #1 text', 'table app."a: b"', 'column "c "" comment: 0001"'],
    ['table app.comment column comment: #1 text', 'table app.comment', 'column comment'],
    ['table app.t column code privileges: public: select', 'table app.t', 'column code privileges'],
    ['sequence app.s parameters: integer, start 1', 'sequence app.s', 'parameters'],
    [
      'function app.f(a character varying, "b)" app."x (y") 0003: x: y',
      'function app.f(a character varying, "b)" app."x (y")',
      undefined,
    ],
    ['function app.f() comment: it: works', 'function app.f()', 'comment'],
    ['operator app.===(double precision,integer): is there', 'operator app.===(double precision,integer)', undefined],
    ['operator class app.o USING btree comment: x', 'operator class app.o USING btree', 'comment'],
    ['cast (app.a AS app.b): is there', 'cast (app.a AS app.b)', undefined],
    [
      'default privileges for role owner in schema app on tables: public: select',
      'default privileges for role owner in schema app on tables',
      undefined,
    ],
    ['extension comment: version 1.0 in schema public', 'extension comment', undefined],
    ['foreign-data wrapper w: is there', 'foreign-data wrapper w', undefined],
    ['text search configuration app.c: is there', 'text search configuration app.c', undefined],
    ['composite type app.pair column a: #1 integer', 'composite type app.pair', 'column a'],
    ['schema "two words": a schema', 'schema "two words"', undefined],
  ])('reads which object and part is meant by %s', (line, object, part) => {
    const sameObject = part === undefined ? [] : [`${object}: is there`]

    expect(compareCatalogs([...sameObject, line], sameObject)).toMatchObject([{ object, part, kind: 'missing' }])
  })
})

function touch(body: string): readonly string[] {
  return ['function app.touch() 0001: CREATE FUNCTION app.touch()', `function app.touch() 0002: ${body}`]
}
