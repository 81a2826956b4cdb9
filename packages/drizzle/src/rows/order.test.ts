import { describe, expect, it } from 'vitest'

import { orderTables } from './order.ts'
import type { TableShape } from './table-shape.ts'

describe('orderTables', () => {
  it('puts referenced tables first, and otherwise keeps the order', () => {
    const turns = orderTables([table('a', { to: 'c' }), table('b'), table('c', { to: 'd' }), table('d')])

    expect(turns.map((turn) => turn.table.name)).toEqual(['b', 'd', 'c', 'a'])
    expect(turns.every((turn) => turn.later.length + turn.deferred.length === 0)).toBe(true)
  })

  it('puts off a reference of a table to itself', () => {
    const [turn] = orderTables([table('a', { to: 'a' })])

    expect(turn?.later).toHaveLength(1)
    expect(turn?.ready).toEqual([])
  })

  it('opens a cycle where the key may be null, not at a table that only refers into it', () => {
    const turns = orderTables([
      table('a', { to: 'b', nullable: true }),
      table('b', { to: 'c' }),
      table('c', { to: 'b', nullable: true }),
    ])

    expect(turns.map((turn) => turn.table.name)).toEqual(['c', 'b', 'a'])
    expect(turns.map((turn) => turn.later.length)).toEqual([1, 0, 0])
  })

  it('opens a cycle without nulls where the key is checked at the end', () => {
    const turns = orderTables([table('a', { to: 'b' }), table('b', { to: 'a', deferrable: true })])

    expect(turns.map((turn) => turn.table.name)).toEqual(['b', 'a'])
    expect(turns.map((turn) => turn.deferred.length)).toEqual([1, 0])
  })

  it('gives every table a turn, even in a cycle that nothing opens', () => {
    expect(orderTables([table('a', { to: 'b' }), table('b', { to: 'a' })])).toHaveLength(2)
  })
})

function table(
  name: string,
  key?: { readonly to: string; readonly nullable?: boolean; readonly deferrable?: boolean },
): TableShape {
  const column = {
    name: 'other',
    declared: 'integer',
    type: '23',
    modifier: -1,
    notNull: key?.nullable !== true,
    generated: false,
    counted: false,
    default: null,
  }
  return {
    oid: name,
    schema: 'public',
    name,
    partitioned: false,
    columns: [column],
    checks: [],
    foreignKeys: key
      ? [{ columns: ['other'], table: key.to, references: ['id'], deferrable: key.deferrable === true }]
      : [],
    uniqueKeys: [],
    partitions: [],
    partitionColumns: [],
    triggers: [],
  }
}
