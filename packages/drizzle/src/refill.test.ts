import { describe, expect, test } from 'vitest'

import type { SchemaEntity, SchemaState } from './kit/state.ts'
import { refillColumns } from './refill.ts'

const column = (name: string, type: string, more: Readonly<Record<string, unknown>> = {}): SchemaEntity => ({
  entityType: 'columns',
  schema: 'public',
  table: 'users',
  name,
  type,
  typeSchema: null,
  dimensions: 0,
  ...more,
})
const state = (...ddl: readonly SchemaEntity[]): SchemaState => ({ id: 'x', prevIds: [], ddl })

describe('refillColumns', () => {
  test.each([
    ['integer', '0'],
    ['numeric(10, 2)', '0'],
    ['text', "''"],
    ['varchar(20)', "''"],
    ['boolean', 'false'],
    ['jsonb', "'{}'"],
    ['uuid', "'00000000-0000-0000-0000-000000000000'"],
    ['timestamp with time zone', "'epoch'"],
    ['time', "'00:00'"],
    ['interval', "'0'"],
  ])('fills a column of type %s that comes back with %s', (type, value) => {
    const statement = `ALTER TABLE "users" ADD COLUMN "gone" ${type} NOT NULL`

    expect(refillColumns([statement], state(column('gone', type)))).toEqual({
      statements: [`${statement} DEFAULT ${value}`, 'ALTER TABLE "users" ALTER COLUMN "gone" DROP DEFAULT'],
      remarks: [`Rows that are there get ${value} in "gone": what it held is gone.`],
    })
  })

  test('takes the first value of an enum, and an empty array', () => {
    const mood = { entityType: 'enums', schema: 'app', name: 'mood', values: ["it's", 'ok'] }
    const after = state(
      mood,
      column('mood', 'mood', { schema: 'app', typeSchema: 'app' }),
      column('tags', 'text', { dimensions: 1 }),
    )

    expect(
      refillColumns(
        [
          'ALTER TABLE "app"."users" ADD COLUMN "mood" "app"."mood" NOT NULL',
          'ALTER TABLE "users" ADD COLUMN "tags" text[] NOT NULL',
        ],
        after,
      ).statements,
    ).toEqual([
      `ALTER TABLE "app"."users" ADD COLUMN "mood" "app"."mood" NOT NULL DEFAULT 'it''s'`,
      'ALTER TABLE "app"."users" ALTER COLUMN "mood" DROP DEFAULT',
      `ALTER TABLE "users" ADD COLUMN "tags" text[] NOT NULL DEFAULT '{}'`,
      'ALTER TABLE "users" ALTER COLUMN "tags" DROP DEFAULT',
    ])
  })

  test.each([
    ['may be null', 'ALTER TABLE "users" ADD COLUMN "gone" integer', 'integer'],
    ['has a default', 'ALTER TABLE "users" ADD COLUMN "gone" integer DEFAULT 1 NOT NULL', 'integer'],
    [
      'is generated',
      'ALTER TABLE "users" ADD COLUMN "gone" integer GENERATED ALWAYS AS (1) STORED NOT NULL',
      'integer',
    ],
    ['fills itself', 'ALTER TABLE "users" ADD COLUMN "gone" serial NOT NULL', 'serial'],
    ['is of a type without an empty value', 'ALTER TABLE "users" ADD COLUMN "gone" point NOT NULL', 'point'],
    ['is not in the schema', 'ALTER TABLE "others" ADD COLUMN "gone" integer NOT NULL', 'integer'],
  ])('leaves a column alone that %s', (_, statement, type) => {
    expect(refillColumns([statement], state(column('gone', type)))).toEqual({ statements: [statement], remarks: [] })
  })
})
