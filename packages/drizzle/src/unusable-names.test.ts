import { describe, expect, test } from 'vitest'

import { emptyState, type SchemaEntity, type SchemaState } from './kit/state.ts'
import { describeEntity, findUnusable } from './unusable-names.ts'

const long = 'x'.repeat(64)
const entity = (entityType: string, name: string, more: Partial<SchemaEntity> = {}): SchemaEntity => ({
  entityType,
  name,
  schema: 'public',
  ...more,
})
const state = (...ddl: readonly SchemaEntity[]): SchemaState => ({ id: 'x', prevIds: [], ddl })

describe('findUnusable', () => {
  test.each([
    ['a table', entity('tables', long), `table "${long}" has a name of 64 bytes`, 'give it a shorter name'],
    [
      'a unique constraint',
      entity('uniques', long, { table: 'users' }),
      `unique constraint "${long}" of table "users" has a name of 64 bytes`,
      "name it yourself: unique('…').on(…)",
    ],
    [
      'characters of several bytes',
      entity('columns', 'ä'.repeat(32), { table: 'users' }),
      'has a name of 64 bytes',
      'give',
    ],
  ])('finds a name that PostgreSQL would cut: of %s', (_, one, message, hint) => {
    expect(findUnusable(emptyState, state(one), 'schema.ts')).toEqual([
      {
        code: 'NAME_UNUSABLE',
        file: 'schema.ts',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      },
    ])
  })

  test('finds a double quote in a name', () => {
    expect(findUnusable(emptyState, state(entity('tables', 'a"b')), 'schema.ts')).toMatchObject([
      { code: 'NAME_UNUSABLE' },
    ])
  })

  test('finds a role, which a database cannot have for itself', () => {
    const [problem] = findUnusable(emptyState, state({ entityType: 'roles', name: 'app' }), 'schema.ts')

    expect(problem).toMatchObject({ code: 'SCHEMA_INVALID', hint: expect.stringContaining("pgRole('app').existing()") })
  })

  test('accepts what was there before, and names that just fit', () => {
    const before = state(entity('tables', long))

    expect(findUnusable(before, state(entity('tables', long), entity('tables', 'x'.repeat(63))), 'schema.ts')).toEqual(
      [],
    )
  })
})

describe('describeEntity', () => {
  test.each([
    [entity('tables', 'users'), 'table "users"'],
    [entity('tables', 'users', { schema: 'app' }), 'table "app"."users"'],
    [entity('columns', 'name', { table: 'users', schema: 'app' }), 'column "name" of table "app"."users"'],
    [entity('fks', 'f', { table: 'users' }), 'foreign key "f" of table "users"'],
  ])('calls it by its kind, its name and where it is: %#', (one, words) => {
    expect(describeEntity(one)).toBe(words)
  })
})
