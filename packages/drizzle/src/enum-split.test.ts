import { describe, expect, it } from 'vitest'

import { splitEnumAdditions } from './enum-split.ts'

const addBlue = `ALTER TYPE "mood" ADD VALUE 'blue' BEFORE 'ok';`

describe('splitEnumAdditions', () => {
  it.each([
    ['a default', `ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT 'blue'::"mood";`],
    ['a default of an array', `ALTER TABLE "t" ALTER COLUMN "d" SET DEFAULT '{blue}'::"mood"[];`],
    ['the default of a new column', `ALTER TABLE "t" ADD COLUMN "e" "mood" DEFAULT 'blue'::"mood" NOT NULL;`],
    ['a check', `ALTER TABLE "t" ADD CONSTRAINT "ck" CHECK ("c" <> 'blue');`],
    ['the predicate of an index', `CREATE INDEX "p" ON "t" ("id") WHERE "c" = 'blue';`],
    ['a new table', `CREATE TABLE "n" (\n\t"c" "mood" DEFAULT 'blue'\n);`],
    ['a view', `CREATE VIEW "v" AS (select * from "t" where "c" = 'blue');`],
    ['a policy', `CREATE POLICY "p" ON "t" USING ("c" <> 'blue'::"mood");`],
    ['a function', `CREATE FUNCTION f() RETURNS mood LANGUAGE sql AS $f$ select 'blue'::mood $f$`],
    ['a literal with escapes', String.raw`ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT E'\x62lue';`],
    ['a conversion of rows', `ALTER TABLE "t" ALTER COLUMN "x" SET DATA TYPE "mood" USING "x"::"mood";`],
    ['rows that are converted', `UPDATE "t" SET "c" = "x"::mood;`],
    ['all values', `ALTER TABLE "t" ALTER COLUMN "d" SET DEFAULT enum_range(null::mood);`],
  ])('puts the value first when %s uses it', (_, use) => {
    const up = [addBlue, 'ALTER TABLE "t" ADD COLUMN "y" text;', use]

    expect(splitEnumAdditions(up)).toEqual({ first: [addBlue], second: up.slice(1) })
  })

  it.each([
    ['nothing is added', [`ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT 'blue';`]],
    ['nothing else is done', [addBlue]],
    ['only other values are used', [addBlue, `ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT 'ok'::"mood";`]],
    ['only the type is used', [addBlue, 'ALTER TABLE "t" ADD COLUMN "c2" "mood";']],
    ['another value is put beside it', [addBlue, `ALTER TYPE "mood" ADD VALUE 'green' AFTER 'blue';`]],
    ['a column has its name', [addBlue, 'ALTER TABLE "t" ADD COLUMN "blue" text;']],
    ['only a comment has its name', [addBlue, `CREATE TABLE "n" ("id" integer); -- 'blue'`]],
    ['other rows are converted', [addBlue, `ALTER TABLE "t" ALTER COLUMN "x" SET DATA TYPE int USING "x"::int;`]],
    ['it is used before', [`ALTER TABLE "t" ALTER COLUMN "x" SET DEFAULT 'blue';`, addBlue]],
  ])('splits nothing when %s', (_, up) => {
    expect(splitEnumAdditions(up)).toBeUndefined()
  })

  it.each([
    [`ALTER TYPE "mood" ADD VALUE 'it''s';`, `CHECK ("c" <> 'it''s')`],
    [`ALTER TYPE "mood" ADD VALUE IF NOT EXISTS 'a "b"';`, String.raw`SET DEFAULT '{"a \"b\""}'::"mood"[]`],
    [`ALTER TYPE "Odd ""s"""."mo.od" ADD VALUE 'x;y';`, `SET DEFAULT 'x;y'`],
    [`alter type public.mood add value 'Größe' after 'ok'`, `SET DEFAULT 'Größe'`],
  ])('reads the value of %s', (addition, use) => {
    const up = [addition, `ALTER TABLE "t" ${use}`]

    expect(splitEnumAdditions(up)).toEqual({ first: [addition], second: [up[1]] })
    expect(splitEnumAdditions([addition, `ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT 'other';`])).toBeUndefined()
  })

  it('takes along all values, because one may stand beside another, and what their types need before', () => {
    const up = [
      'CREATE TYPE "other" AS ENUM(\'x\');',
      'ALTER SCHEMA "old" RENAME TO "s";',
      'ALTER TYPE "s"."feeling" RENAME TO "mood";',
      'DROP INDEX "i";',
      `ALTER TYPE "s"."mood" ADD VALUE 'blue';`,
      `ALTER TABLE "t" ALTER COLUMN "c" SET DEFAULT 'blue';`,
      `ALTER TYPE "s"."mood" ADD VALUE 'green' AFTER 'blue';`,
      'CREATE TYPE "s"."late" AS ENUM(\'x\');',
    ]

    expect(splitEnumAdditions(up)).toEqual({
      first: [up[1], up[2], up[4], up[6]],
      second: [up[0], up[3], up[5], up[7]],
    })
  })
})
