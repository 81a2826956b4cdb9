import { describe, expect, it } from 'vitest'

import { lineAt, normalizeStatement, splitStatements } from './statements.ts'

describe('splitStatements', () => {
  it('splits at semicolons and leaves out blanks, comments between statements, and empty statements', () => {
    expect(textsOf('select 1; ;\n-- about two\nselect 2 ;; /* the end */')).toEqual(['select 1', 'select 2'])
  })

  it('tells where each statement begins and ends in the file', () => {
    const sql = '  select 1 ; -- x\nselect 2'

    expect(splitStatements(sql)).toEqual([
      { text: 'select 1', start: 2, end: 11 },
      { text: 'select 2', start: 18, end: sql.length },
    ])
  })

  it.each<[rule: string, sql: string]>([
    ['a string', `select 'a;b'`],
    ['a string with a doubled quote', `select 'it''s;'`],
    ['a string that ends in a backslash', String.raw`select '\', ';'`],
    ['a string with escapes', String.raw`select E'\';', e'\\', ';'`],
    [
      'a string with escapes that goes on in the next line',
      String.raw`select E'a' -- still` + '\n' + String.raw`  '\';'`,
    ],
    ['a string with Unicode escapes', String.raw`select U&'d\0061t;'`],
    ['a quoted name', `select 1 as "a;""b;"`],
    ['a dollar quote', `do $$ begin; end $$`],
    ['a dollar quote with a tag, around others', `do $a$ $b$ ; $$ ; $b$ ; $a$`],
    ['a dollar quote whose tag is not ASCII', `do $größe$ ; $größe$`],
    ['a dollar quote whose tag is an emoji', `do $😀$ ; $😀$`],
    ['a line comment', `select 1 -- one;\n, 2`],
    ['a line comment that a carriage return ends', `select 1 -- one;\r, 2`],
    ['a comment', `select /* ; */ 1`],
    ['a nested comment', `select /* /* ; */ ; */ 1`],
    ['a comment right after an operator', `select 1 +/* ; */ 2`],
    ['parentheses', `create rule r as on insert to t do also (select 1; select 2)`],
    ['a body of SQL', `create function f() returns int begin atomic select 1; select 2; end`],
    ['a body of a replaced procedure', `create or replace procedure p() begin atomic select 1; end`],
    [
      'a body with case',
      `create function f(a int) returns int begin atomic select case a when 1 then 2 end; select 3; end`,
    ],
  ])('does not split inside %s', (_, sql) => {
    expect(textsOf(`${sql}; select 'next'`)).toEqual([sql, `select 'next'`])
  })

  it.each<[rule: string, sql: string, statements: readonly string[]]>([
    ['a dollar inside a word opens nothing', 'select a$b; select c$b', ['select a$b', 'select c$b']],
    ['a dollar quote cannot follow a word', 'select a$$; select b$$', ['select a$$', 'select b$$']],
    ['a parameter is no dollar quote', 'select $1; select $1', ['select $1', 'select $1']],
    ['an emoji is a letter of a word', 'select 😀$$; select 😀$$', ['select 😀$$', 'select 😀$$']],
    [
      'a plain string has no escapes',
      String.raw`select '\'; select '\'`,
      [String.raw`select '\'`, String.raw`select '\'`],
    ],
    ['"begin" opens a body only in a function', 'begin; select 1; end', ['begin', 'select 1', 'end']],
    [
      '"begin" in parentheses opens nothing',
      'create function f("begin" int, begin int) return 1; select 1',
      ['create function f("begin" int, begin int) return 1', 'select 1'],
    ],
    ['too many closing parentheses do not hide a semicolon', 'select 1); select 2', ['select 1)', 'select 2']],
    ['a hyphen alone is no comment', 'select 1 - 1; select 2', ['select 1 - 1', 'select 2']],
  ])('%s', (_, sql, statements) => {
    expect(textsOf(sql)).toEqual(statements)
  })

  it('has no statements in nothing, blanks or comments', () => {
    expect(['', ' \n\t', ';;', '-- x', '/* x */\n;'].map(textsOf)).toEqual([[], [], [], [], []])
  })

  it.each<[what: string, sql: string]>([
    ['comment', '/* never closed'],
    ['string', "'never closed"],
    ['quoted name', '"never closed'],
    ['dollar quote', '$body$ never closed $$ $bod$'],
  ])('says that a %s is never closed, and takes the rest of the file for it', (what, opened) => {
    const sql = `select 1;\nselect ${opened};\nselect 2;\n`

    expect(splitStatements(sql)).toEqual([
      { text: 'select 1', start: 0, end: 8 },
      { text: sql.slice(10), start: 10, end: sql.length, unclosed: { what, start: 17 } },
    ])
  })

  it('does not let a comment that is never closed hide what it comments out', () => {
    const sql = '/* Copyright\ncreate table t ();\n'

    expect(splitStatements(sql)).toEqual([
      { text: sql, start: 0, end: sql.length, unclosed: { what: 'comment', start: 0 } },
    ])
  })
})

describe('normalizeStatement', () => {
  it.each([
    ['indentation', 'select\n  a,\n  b', 'select a, b'],
    ['blanks at punctuation', 'f ( a , b )', 'f(a,b)'],
    ['blanks around operators', 'a=b', 'a = b'],
    ['a line comment', 'select 1 -- one\n, 2', 'select 1, 2'],
    ['a comment in place of a blank', 'select/* one */1', 'select 1'],
    ['nested comments', 'select /* a /* b */ c */ 1', 'select 1'],
    ['comments and blanks at the end', 'select 1 -- done', 'select 1'],
    ['line endings', 'select\r\n1', 'select\n1'],
  ])('does not mind %s', (_, one, other) => {
    expect(normalizeStatement(one)).toBe(normalizeStatement(other))
  })

  it.each([
    ['a blank between words', 'select a b', 'select ab'],
    ['a blank between numbers', 'select 1 2', 'select 12'],
    ['a blank between operators', 'select 1 - -1', 'select 1 @--1'],
    ['an operator that was split', 'a <= b', 'a < = b'],
    ['a prefix that was split from its string', "select e 'a'", "select e'a'"],
    ['an ampersand that was split from its string', "select U&'a'", "select U & 'a'"],
    ['a line break between strings', "select 'a'\n'b'", "select 'a' 'b'"],
    ['a blank in a string', "select 'a b'", "select 'a  b'"],
    ['a comment in a string', "select '-- a'", "select '-- b'"],
    ['a blank in a quoted name', 'select "a b"', 'select "a  b"'],
    ['a comment in the body of a function', 'do $$ -- a\n$$', 'do $$ -- b\n$$'],
    ['letter case', 'select a', 'select A'],
  ])('minds %s', (_, one, other) => {
    expect(normalizeStatement(one)).not.toBe(normalizeStatement(other))
  })
})

describe('lineAt', () => {
  it('counts lines from 1, and a line break belongs to the line that it ends', () => {
    const text = 'a\nb\r\n\nc'

    expect([0, 1, 2, 4, 5, 6].map((position) => lineAt(text, position))).toEqual([1, 1, 2, 2, 3, 4])
  })
})

function textsOf(sql: string): readonly string[] {
  return splitStatements(sql).map((statement) => statement.text)
}
