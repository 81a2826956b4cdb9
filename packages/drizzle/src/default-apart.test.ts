import { describe, expect, test } from 'vitest'

import { setDefaultsApart } from './default-apart.ts'
import type { SchemaState } from './kit/state.ts'

const stateWith = (value: string | null): SchemaState => ({
  id: 'x',
  prevIds: [],
  ddl: [{ entityType: 'columns', schema: 'app', table: 'users', name: 'age', default: value }],
})
const change = 'ALTER TABLE "app"."users" ALTER COLUMN "age" SET DATA TYPE integer USING "age"::integer'
const drop = 'ALTER TABLE "app"."users" ALTER COLUMN "age" DROP DEFAULT'

describe('setDefaultsApart', () => {
  test('takes a default away before the type changes, and sets what it is afterwards', () => {
    expect(setDefaultsApart([change], stateWith('1'))).toEqual([
      drop,
      change,
      'ALTER TABLE "app"."users" ALTER COLUMN "age" SET DEFAULT 1',
    ])
  })

  test('does not set a default that is set anyway, or that is gone', () => {
    const set = 'ALTER TABLE "app"."users" ALTER COLUMN "age" SET DEFAULT 2'

    expect(setDefaultsApart([change, set], stateWith('2'))).toEqual([drop, change, set])
    expect(setDefaultsApart([change], stateWith(null))).toEqual([drop, change])
  })

  test('leaves everything else alone', () => {
    const others = ['ALTER TABLE "users" ADD COLUMN "x" integer', 'ALTER TABLE "users" ALTER COLUMN "x" SET NOT NULL']

    expect(setDefaultsApart(others, stateWith('1'))).toEqual(others)
  })
})
