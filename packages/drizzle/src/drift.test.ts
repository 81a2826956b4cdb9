import { describe, expect, it } from 'vitest'

import { forDrift } from './drift.ts'

describe('forDrift', () => {
  const constraint = 'table app.users constraint users_id_not_null: NOT NULL id'
  const check = 'table app.users constraint users_id_check: CHECK ((id IS NOT NULL))'
  const column = 'table app.users column id: #1 integer not null'

  it('leaves out the constraints that stand for NOT NULL when one of the servers may have none', () => {
    expect(forDrift([column, check, constraint], false)).toEqual([column, check])
    expect(forDrift([column, check, constraint], true)).toEqual([column, check, constraint])
  })

  it('does not care whether a materialized view is filled', () => {
    expect(forDrift(['materialized view app.totals: persistent, not populated', column], true)).toEqual([
      'materialized view app.totals: persistent',
      column,
    ])
  })
})
