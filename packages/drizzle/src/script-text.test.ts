import { describe, expect, test } from 'vitest'

import { formatScript, tidyStatement } from './script-text.ts'

describe('formatScript', () => {
  test("separates statements so that drizzle-orm's migrator can run them one by one", () => {
    expect(formatScript(['CREATE TABLE "a" ()', 'CREATE TABLE "b" ()'], { remarks: [] })).toBe(
      'CREATE TABLE "a" ();\n--> statement-breakpoint\nCREATE TABLE "b" ();\n',
    )
  })

  test('puts what the reader should know on top, as comments', () => {
    expect(formatScript(['SELECT 1'], { remarks: ['one', 'two\n\nthree'] })).toBe(
      '-- one\n-- two\n--\n-- three\nSELECT 1;\n',
    )
  })

  test('marks what is not proved, and says why', () => {
    expect(formatScript(['SELECT 1'], { remarks: [], unproved: 'it fails\non rows' })).toBe(
      [
        '-- drover:unfilled: not proved. Correct what is said below, then remove this line',
        '-- it fails',
        '-- on rows',
        'SELECT 1;',
        '',
      ].join('\n'),
    )
  })

  test('says so when there is nothing to do', () => {
    expect(formatScript([], { remarks: [] })).toBe('-- Nothing to change.\n')
  })
})

describe('tidyStatement', () => {
  test('indents columns with spaces, and leaves out the semicolon', () => {
    expect(tidyStatement('CREATE TABLE "a" (\n\t"id" integer,\n\t"b" text\n);\n')).toBe(
      'CREATE TABLE "a" (\n  "id" integer,\n  "b" text\n)',
    )
  })

  test.each([`CREATE TABLE "a" (\n\t"b" text DEFAULT 'x\n\ty'\n)`, 'CREATE VIEW "a" AS (select\n\t1)'])(
    'leaves tabs alone that may be part of a value: %j',
    (statement) => {
      expect(tidyStatement(statement)).toBe(statement)
    },
  )
})
