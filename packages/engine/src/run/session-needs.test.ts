import { describe, expect, it } from 'vitest'

import { exampleScripts, type ExampleSql } from './example-plan.ts'
import { findSessionChange } from './session-needs.ts'

describe('findSessionChange', () => {
  it.each([
    'set search_path = app',
    'reset all',
    "select pg_catalog.set_config('search_path', 'app', false)",
    'create temp table answers ()',
    'create local temporary table answers ()',
  ])('finds "%s" outside a transaction', (statement) => {
    expect(changeIn({ up: `select 1; ${statement}; vacuum;`, transaction: 'none' })).toBe(statement)
  })

  it.each([
    { up: 'set search_path = app; select 1;' },
    { up: 'create index concurrently on users (name);', transaction: 'none' },
    { up: 'create table temp_answers ();', transaction: 'none' },
  ] as const)('finds nothing in $up', (source) => {
    expect(changeIn(source)).toBeUndefined()
  })
})

function changeIn(source: ExampleSql): string | undefined {
  return findSessionChange(exampleScripts([source])[0]!)
}
