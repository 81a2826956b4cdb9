import { describe, expect, test } from 'vitest'

import { renameEnumValues, withAddedValues } from './enum-values.ts'
import type { SchemaEntity, SchemaState } from './kit/state.ts'

const enumOf = (name: string, ...values: readonly string[]): SchemaEntity => ({
  entityType: 'enums',
  schema: 'public',
  name,
  values,
})
const columnOf = (type: string, value: string): SchemaEntity => ({
  entityType: 'columns',
  schema: 'public',
  table: 'users',
  name: 'mood',
  type,
  typeSchema: 'public',
  default: value,
})
const state = (...ddl: readonly SchemaEntity[]): SchemaState => ({ id: 'x', prevIds: [], ddl })

describe('renameEnumValues', () => {
  test('renames values in place, in defaults too, and back in reverse order', () => {
    const renames = [
      { schema: 'public', name: 'mood', from: 'sad', to: 'blue' },
      { schema: 'public', name: 'mood', from: "it's", to: 'ok' },
    ]

    const {
      state: after,
      up,
      down,
    } = renameEnumValues(
      state(
        enumOf('mood', 'sad', "it's"),
        enumOf('other', 'sad'),
        columnOf('mood', "'sad'"),
        columnOf('other', "'sad'"),
      ),
      renames,
    )

    expect(after.ddl).toEqual([
      enumOf('mood', 'blue', 'ok'),
      enumOf('other', 'sad'),
      columnOf('mood', "'blue'"),
      columnOf('other', "'sad'"),
    ])
    expect(up).toEqual([
      `ALTER TYPE "mood" RENAME VALUE 'sad' TO 'blue'`,
      `ALTER TYPE "mood" RENAME VALUE 'it''s' TO 'ok'`,
    ])
    expect(down).toEqual([
      `ALTER TYPE "mood" RENAME VALUE 'ok' TO 'it''s'`,
      `ALTER TYPE "mood" RENAME VALUE 'blue' TO 'sad'`,
    ])
  })
})

describe('withAddedValues', () => {
  test('takes over the values that enums gain, and nothing else', () => {
    const before = state(
      enumOf('mood', 'sad'),
      enumOf('gone', 'x'),
      enumOf('shrinks', 'a', 'b'),
      columnOf('mood', "'sad'"),
    )
    const later = state(
      enumOf('mood', 'sad', 'ok'),
      enumOf('new', 'y'),
      enumOf('shrinks', 'b', 'c'),
      columnOf('mood', "'ok'"),
    )

    expect(withAddedValues(before, later).ddl).toEqual([
      enumOf('mood', 'sad', 'ok'),
      enumOf('gone', 'x'),
      enumOf('shrinks', 'a', 'b'),
      columnOf('mood', "'sad'"),
    ])
  })
})
