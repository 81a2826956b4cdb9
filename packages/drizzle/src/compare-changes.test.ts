import { describe, expect, it } from 'vitest'

import { type CatalogChange, changeBetween, comparableLines, compareChanges, deviationOf } from './compare-changes.ts'
import type { Rename } from './rename.ts'

const nothing = { missing: [], unexpected: [] }
const toPeople: Rename = { from: ['public', 'users'], to: ['public', 'people'] }

describe('comparableLines', () => {
  it('leaves out the places of columns, and the constraints that stand for NOT NULL', () => {
    expect(
      comparableLines([
        'table public.users column id: #1 integer not null',
        'table public.users constraint users_id_not_null: NOT NULL id',
        'table public.users constraint "users_Ä b_not_null": NOT NULL "Ä b"',
        'table public.users constraint kept: NOT NULL id NO INHERIT',
        'table public.users constraint named: CHECK ((id IS NOT NULL))',
      ]),
    ).toEqual([
      'table public.users column id: integer not null',
      'table public.users constraint kept: NOT NULL id NO INHERIT',
      'table public.users constraint named: CHECK ((id IS NOT NULL))',
    ])
  })
})

describe('changeBetween and deviationOf', () => {
  it('tell the lines of one side', () => {
    expect(changeBetween(['schema a: a schema', 'schema b: a schema'], ['schema b: a schema'])).toEqual({
      removed: ['schema a: a schema'],
      added: [],
    })
    expect(deviationOf(['schema a: a schema'], ['schema b: a schema'])).toEqual({
      missing: ['schema a: a schema'],
      unexpected: ['schema b: a schema'],
    })
  })
})

describe('compareChanges', () => {
  const added = ['table public.users column age: integer']

  it('finds nothing when what was wished was done', () => {
    const change = { removed: ['schema old: a schema'], added }

    expect(compareChanges(change, change, [])).toEqual(nothing)
  })

  it('tells what was not added, what was not removed, and what was done besides', () => {
    expect(
      compareChanges(
        { removed: ['schema old: a schema'], added },
        { removed: ['schema kept: a schema'], added: ['schema more: a schema'] },
        [],
      ),
    ).toEqual({
      missing: [...added, 'schema kept: a schema'],
      unexpected: ['schema more: a schema', 'schema old: a schema'],
    })
  })

  it.each([
    ['a primary key', 'constraint people_pkey: PRIMARY KEY (id)', 'constraint users_pkey: PRIMARY KEY (id)'],
    [
      'a unique constraint over two columns',
      'constraint "people_id_Full name_unique": UNIQUE (id, "Full name")',
      'constraint other: UNIQUE (id, "Full name")',
    ],
    [
      'a foreign key as PostgreSQL names it',
      'constraint people_org_fkey: FOREIGN KEY (org) REFERENCES public.orgs(id) ON DELETE CASCADE',
      'constraint users_org_fkey: FOREIGN KEY (org) REFERENCES public.orgs(id) ON DELETE CASCADE',
    ],
    [
      'a foreign key as drizzle-kit names it',
      'constraint people_org_orgs_id_fkey: FOREIGN KEY (org) REFERENCES public.orgs(id)',
      'constraint users_org_orgs_id_fkey: FOREIGN KEY (org) REFERENCES public.orgs(id)',
    ],
    [
      'an index',
      'index people_n_index: CREATE INDEX people_n_index ON public.people USING btree (n DESC)',
      'index users_n_index: CREATE INDEX users_n_index ON public.people USING btree (n DESC)',
    ],
  ])('lets %s keep a name that the schema leaves open', (_, wished, found) => {
    expect(compareChanges(adding(wished), adding(found), [])).toEqual(nothing)
    expect(compareChanges(adding(found), adding(wished), []).missing).toEqual([`table public.people ${found}`])
  })

  it.each([
    ['another definition', 'constraint users_pkey: PRIMARY KEY (id, name)'],
    ['a check', 'constraint users_pkey: CHECK ((id > 0))'],
  ])('does not take %s for the same key', (_, found) => {
    const wished = 'table public.people constraint people_pkey: PRIMARY KEY (id)'

    expect(
      compareChanges({ removed: [], added: [wished] }, { removed: [], added: [`table public.people ${found}`] }, []),
    ).toEqual({ missing: [wished], unexpected: [`table public.people ${found}`] })
  })

  it('lets the sequence of a column keep its name', () => {
    const wished = {
      removed: [...columnWith('users_id_seq', 'users'), persistent('users_id_seq')],
      added: [...columnWith('people_id_seq', 'people'), persistent('people_id_seq')],
    }
    const found = { removed: columnWith('users_id_seq', 'users'), added: columnWith('users_id_seq', 'people') }

    expect(compareChanges(wished, found, [toPeople])).toEqual(nothing)
  })

  it('lets what the schema does not know follow a rename, at the same time as another the other way round', () => {
    const swap: readonly Rename[] = [
      { from: ['public', 'a'], to: ['public', 'b'] },
      { from: ['public', 'b'], to: ['public', 'a'] },
      { from: ['public', 'b', 'x'], to: ['public', 'b', 'Y y'] },
    ]
    const found = { removed: [indexOn('a', 'x')], added: [indexOn('b', '"Y y"')] }

    expect(compareChanges({ removed: [], added: [] }, found, swap)).toEqual(nothing)
    expect(compareChanges({ removed: [], added: [] }, found, swap.slice(1)).missing).toEqual([indexOn('a', 'x')])
  })

  it('takes no table and no column for renamed because it was meant to be', () => {
    const wished = {
      removed: ['table public.users: persistent', 'table public.users column id: integer'],
      added: ['table public.people: persistent', 'table public.people column id: integer'],
    }

    expect(compareChanges(wished, { removed: [], added: [] }, [toPeople])).toEqual({
      missing: wished.added,
      unexpected: wished.removed,
    })
  })

  it('lets what hangs on a table go with it, and nothing else', () => {
    const wished = { removed: ['table public.users: persistent'], added: [] }
    const found = { removed: [...wished.removed, triggerOn('users'), triggerOn('posts')], added: [] }

    expect(compareChanges(wished, found, [])).toEqual({ missing: [triggerOn('posts')], unexpected: [] })
  })
})

function adding(line: string): CatalogChange {
  return { removed: [], added: [`table public.people ${line}`] }
}

function columnWith(sequence: string, table: string): readonly string[] {
  return [
    `sequence public.${sequence} parameters: integer, start 1, owned by public.${table}.id`,
    `table public.${table} column id: integer not null default nextval('public.${sequence}'::regclass)`,
  ]
}

function persistent(sequence: string): string {
  return `sequence public.${sequence}: persistent`
}

function indexOn(table: string, column: string): string {
  return `table public.${table} index by_hand: CREATE INDEX by_hand ON public.${table} USING btree (lower(${column}))`
}

function triggerOn(table: string): string {
  return `table public.${table} trigger by_hand: CREATE TRIGGER by_hand …`
}
