import { describe, expect, test } from 'vitest'

import { findIdentityRenames, renameIdentities } from './identity-names.ts'
import type { SchemaState } from './kit/state.ts'

const stateWith = (name: string, schema = 'public'): SchemaState => ({
  id: 'x',
  prevIds: [],
  ddl: [{ entityType: 'columns', schema, table: 'users', name: 'id', identity: { type: 'always', name } }],
})

describe('findIdentityRenames', () => {
  test.each([
    ['one', 'two'],
    ['users_id_seq', 'two'],
    ['one', 'users_id_seq'],
  ])('finds that %s is called %s', (from, to) => {
    expect(findIdentityRenames(stateWith(from), stateWith(to))).toEqual([{ schema: 'public', from, to }])
  })

  test('finds nothing where names are as they were, or follow from those of tables', () => {
    expect(findIdentityRenames(stateWith('one'), stateWith('one'))).toEqual([])
    expect(findIdentityRenames(stateWith('people_id_seq'), stateWith('users_id_seq'))).toEqual([])
    expect(findIdentityRenames({ id: 'x', prevIds: [], ddl: [] }, stateWith('one'))).toEqual([])
  })

  test('becomes statements that name the schema where it is not public', () => {
    expect(renameIdentities(findIdentityRenames(stateWith('one'), stateWith('two')))).toEqual([
      'ALTER SEQUENCE "one" RENAME TO "two"',
    ])
    expect(renameIdentities(findIdentityRenames(stateWith('one', 'app'), stateWith('two', 'app')))).toEqual([
      'ALTER SEQUENCE "app"."one" RENAME TO "two"',
    ])
  })
})
