import { describe, expect, it } from 'vitest'

import { makeConcurrent, type TableLookup } from './concurrently.ts'

const everything: TableLookup = () => true
const nothing: TableLookup = () => false

describe('makeConcurrent', () => {
  it.each([
    ['CREATE INDEX "i" ON "t" ("c");', 'CREATE INDEX CONCURRENTLY "i" ON "t" ("c");'],
    ['CREATE UNIQUE INDEX "i" ON "t" ("c");', 'CREATE UNIQUE INDEX CONCURRENTLY "i" ON "t" ("c");'],
    [
      'CREATE INDEX "i" ON "t" USING gin (lower("x")) WHERE "c" = \'blue\'',
      'CREATE INDEX CONCURRENTLY "i" ON "t" USING gin (lower("x")) WHERE "c" = \'blue\'',
    ],
    ['create index if not exists i on t (c)', 'create index CONCURRENTLY if not exists i on t (c)'],
    ['CREATE INDEX CONCURRENTLY "i" ON "t" ("c");', 'CREATE INDEX CONCURRENTLY "i" ON "t" ("c");'],
    ['DROP INDEX "Odd "s""."si";', 'DROP INDEX CONCURRENTLY "Odd "s""."si";'],
    ['DROP INDEX IF EXISTS public.i;', 'DROP INDEX CONCURRENTLY IF EXISTS public.i;'],
    ['DROP INDEX "a,b";', 'DROP INDEX CONCURRENTLY "a,b";'],
    ['-- the old one\nDROP INDEX "i";', '-- the old one\nDROP INDEX CONCURRENTLY "i";'],
  ])('takes out %j', (statement, expected) => {
    expect(makeConcurrent([statement], everything)).toEqual({ inside: [], outside: [expected] })
  })

  it.each([
    ['CREATE TABLE "t" ("index" integer);'],
    ['CREATE TABLE "index" ("on" integer);'],
    ['ALTER INDEX "i" RENAME TO "j";'],
    ['COMMENT ON INDEX "i" IS \'CREATE INDEX x ON y\';'],
    ['ALTER TABLE "t" ADD CONSTRAINT "u" UNIQUE("c");'],
    ['DROP INDEX "i" CASCADE;'],
    ['DROP INDEX "i", "j";'],
    ['CREATE INDEX "i" ON ONLY "t" ("c");'],
    [''],
  ])('leaves %j where it is', (statement) => {
    expect(makeConcurrent([statement], everything)).toEqual({ inside: [statement], outside: [] })
  })

  it('leaves the index of a new table inside, where it cannot be concurrent', () => {
    const { inside, outside } = makeConcurrent(['CREATE INDEX CONCURRENTLY "i" ON "t" ("c");'], nothing)

    expect(inside).toEqual(['CREATE INDEX "i" ON "t" ("c");'])
    expect(outside).toEqual([])
  })

  it.each([
    ['CREATE INDEX "on" ON "My ""table""" ("c")', { name: 'My "table"' }],
    ['CREATE INDEX "i" ON "Odd.s"."t" ("c")', { schema: 'Odd.s', name: 't' }],
    ['CREATE INDEX ON Public . Users (c)', { schema: 'public', name: 'users' }],
    ['CREATE UNIQUE INDEX i ON t(c)', { name: 't' }],
  ])('asks for the table of %j by its name', (statement, table) => {
    const asked: unknown[] = []

    makeConcurrent([statement], ({ schema, name }) => {
      asked.push({ name, ...(schema !== undefined && { schema }) })
      return true
    })

    expect(asked).toEqual([table])
  })

  it('keeps the order on both sides, as for an index that is made anew', () => {
    const up = [
      'ALTER TABLE "t" ADD COLUMN "y" text;',
      'DROP INDEX "i";',
      'CREATE INDEX "i" ON "t" ("x","y");',
      'CREATE TABLE "new" ("id" integer);',
      'CREATE INDEX "n" ON "new" ("id");',
    ]

    expect(makeConcurrent(up, ({ name }) => name === 't')).toEqual({
      inside: [up[0], up[3], up[4]],
      outside: ['DROP INDEX CONCURRENTLY "i";', 'CREATE INDEX CONCURRENTLY "i" ON "t" ("x","y");'],
    })
  })
})
