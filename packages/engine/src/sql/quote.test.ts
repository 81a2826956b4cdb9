import { describe, expect, it } from 'vitest'

import { quoteArray, quoteIdentifier, quoteLiteral } from './quote.ts'

describe('quoteLiteral', () => {
  it.each([
    ['', `''`],
    ['plain', `'plain'`],
    [`it's`, `'it''s'`],
    [`'; drop table t; --`, `'''; drop table t; --'`],
    [String.raw`C:\temp`, String.raw`E'C:\\temp'`],
    [String.raw`\'`, String.raw`E'\\'''`],
    ['größe 😀\n', `'größe 😀\n'`],
  ])('quotes %j', (text, literal) => {
    expect(quoteLiteral(text)).toBe(literal)
  })

  it.each([
    ['a NUL character', `s3cret\0'; drop table t; --`],
    ['half of a surrogate pair', 's3cret\ud83d'],
  ])('refuses %s, and does not say the text', (what, text) => {
    expect(() => quoteLiteral(text)).toThrow(what)
    expect(() => quoteLiteral(text)).not.toThrow('s3cret')
  })
})

describe('quoteArray', () => {
  it.each([
    [[], `'{}'::text[]`],
    [['a', 'b'], `'{"a","b"}'::text[]`],
    [['', 'NULL', '{}', 'a,b', ' '], `'{"","NULL","{}","a,b"," "}'::text[]`],
    [[`it's`, `'; drop table t; --`], `'{"it''s","''; drop table t; --"}'::text[]`],
    [['a"b', '"'], String.raw`E'{"a\\"b","\\""}'::text[]`],
    [[String.raw`C:\temp`], String.raw`E'{"C:\\\\temp"}'::text[]`],
    [['größe 😀\n'], `'{"größe 😀\n"}'::text[]`],
  ])('quotes %j', (texts, literal) => {
    expect(quoteArray(texts, 'text')).toBe(literal)
  })

  it('says what it is an array of', () => {
    expect(quoteArray(['a'], 'name')).toBe(`'{"a"}'::name[]`)
  })

  it.each([
    ['a NUL character', 'a\0b'],
    ['half of a surrogate pair', '\udc00'],
  ])('refuses %s in any of them', (what, text) => {
    expect(() => quoteArray(['plain', text], 'text')).toThrow(what)
  })
})

describe('quoteIdentifier', () => {
  it.each([
    ['users', '"users"'],
    ['Größe', '"Größe"'],
    ['a"b', '"a""b"'],
    ['"; drop table t; --', '"""; drop table t; --"'],
    ['ä'.repeat(31), `"${'ä'.repeat(31)}"`],
  ])('quotes %j', (name, identifier) => {
    expect(quoteIdentifier(name)).toBe(identifier)
  })

  it.each([
    ['a NUL character', 'a\0b'],
    ['half of a surrogate pair', '\udc00'],
    ['64 bytes', 'ä'.repeat(32)],
    ['empty', ''],
  ])('refuses %s', (what, name) => {
    expect(() => quoteIdentifier(name)).toThrow(what)
  })
})
