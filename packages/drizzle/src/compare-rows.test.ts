import { describe, expect, it } from 'vitest'

import { findLostRows, type Holdings, stayingPart } from './compare-rows.ts'

describe('findLostRows', () => {
  it('finds nothing in what stayed, or in what is gone on purpose', () => {
    const before = holdings({ 'app.users': { rows: 2, columns: { id: 'integer 2 a', name: 'text 1 b' } } })

    expect(findLostRows(before, before, [])).toEqual([])
    expect(findLostRows(before, holdings({ 'app.users': { rows: 2, columns: { id: 'integer 2 a' } } }), [])).toEqual([])
    expect(findLostRows(before, holdings({}), [])).toEqual([])
  })

  it('tells rows, values, and other values', () => {
    const before = holdings({
      'app.posts': { rows: 1, columns: {} },
      'app.users': { rows: 2, columns: { code: 'text 1 a', name: 'text 2 b' } },
    })
    const after = holdings({
      'app.posts': { rows: 3, columns: {} },
      'app.users': { rows: 2, columns: { code: 'text 0 c', name: 'text 2 d' } },
    })

    expect(findLostRows(before, after, [])).toEqual([
      'table app.posts had 1 row and has 3 rows',
      'table app.users, column code held 1 value and holds 0 values',
      'table app.users, column name holds other values than before',
    ])
  })

  it('expects as many values, not the same, of a column that gets another type', () => {
    const before = holdings({ 'app.users': { rows: 2, columns: { id: 'integer 2 a' } } })

    expect(findLostRows(before, holdings({ 'app.users': { rows: 2, columns: { id: 'text 2 b' } } }), [])).toEqual([])
    expect(findLostRows(before, holdings({ 'app.users': { rows: 2, columns: { id: 'text 1 b' } } }), [])).toEqual([
      'table app.users, column id held 2 values and holds 1 value',
    ])
  })

  it('expects nothing of a column that is computed before or after', () => {
    const plain = holdings({ 'app.users': { rows: 2, columns: { sum: 'integer 2 a' } } })
    const computed = holdings(
      { 'app.users': { rows: 2, columns: { sum: 'integer 2 b' } } },
      { 'app.users.sum': { generated: true, labels: [] } },
    )

    expect(findLostRows(plain, computed, [])).toEqual([])
    expect(findLostRows(computed, plain, [])).toEqual([])
  })

  it('lets a value of an enum have another name, and minds other values when one is only added', () => {
    expect(findLostRows(mood('a', ['sad', 'ok']), mood('b', ['blue', 'ok']), [])).toEqual([])
    expect(findLostRows(mood('a', ['sad']), mood('b', ['sad', 'ok']), [])).toEqual([
      'table app.users, column mood holds other values than before',
    ])
  })

  it.each([
    ['old', 'app'],
    ['new', 'core'],
  ])('looks under new names, a column named with the %s name of its table', (_, schema) => {
    const before = holdings({
      'app.posts': { rows: 1, columns: {} },
      'app.users': { rows: 2, columns: { name: 'text 2 a' } },
    })
    const table = schema === 'app' ? 'users' : 'people'
    const after = holdings({
      'core.posts': { rows: 0, columns: {} },
      'core.people': { rows: 2, columns: { label: 'text 1 b' } },
    })

    expect(
      findLostRows(before, after, [
        { from: ['app'], to: ['core'] },
        { from: ['app', 'users'], to: ['core', 'people'] },
        { from: [schema, table, 'name'], to: ['core', 'people', 'label'] },
      ]),
    ).toEqual([
      'table core.posts had 1 row and has 0 rows',
      'table core.people, column label held 2 values and holds 1 value',
    ])
  })
})

describe('stayingPart', () => {
  it('is what is still there, with the values of columns that kept their type', () => {
    const before = holdings({
      'app.gone': { rows: 1, columns: {} },
      'app.users': { rows: 2, columns: { id: 'integer 2 a', gone: 'text 1 b', name: 'text 1 c' } },
    })
    const after = holdings({ 'app.users': { rows: 2, columns: { id: 'text 2 d', name: 'text 1 c' } } })

    const staying = stayingPart(before, after, [])

    const later = holdings({
      'app.gone': { rows: 0, columns: {} },
      'app.users': { rows: 2, columns: { id: 'integer 1 e', gone: 'text 0 f', name: 'text 1 g' } },
    })
    expect(findLostRows(staying, later, [])).toEqual([
      'table app.users, column id held 2 values and holds 1 value',
      'table app.users, column name holds other values than before',
    ])
    expect(findLostRows(staying, holdings({ 'app.users': { rows: 2, columns: { id: 'integer 2 z' } } }), [])).toEqual(
      [],
    )
  })
})

function mood(hash: string, labels: readonly string[]): Holdings {
  return holdings(
    { 'app.users': { rows: 2, columns: { mood: `mood 2 ${hash}` } } },
    { 'app.users.mood': { generated: false, labels } },
  )
}

type Tables = Readonly<Record<string, { readonly rows: number; readonly columns: Readonly<Record<string, string>> }>>

/** Contents from a table's rows and, for each column, its type, how many values it holds, and their hash. */
function holdings(
  tables: Tables,
  columns: Readonly<Record<string, { generated: boolean; labels: readonly string[] }>> = {},
): Holdings {
  return {
    contents: {
      tables: new Map(
        Object.entries(tables).map(([name, { rows, columns: held }]) => [
          key(name),
          {
            rows,
            columns: new Map(
              Object.entries(held).map(([column, text]) => {
                const [type = '', filled, hash = ''] = text.split(' ')
                return [column, { type, filled: Number(filled), hash }]
              }),
            ),
          },
        ]),
      ),
    },
    columns: new Map(Object.entries(columns).map(([name, column]) => [key(name), column])),
  }
}

function key(name: string): string {
  return name.replaceAll('.', '\0')
}
