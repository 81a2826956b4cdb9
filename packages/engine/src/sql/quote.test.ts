import { describe, expect, it } from 'vitest'

import { quoteIdentifier, quoteLiteral } from './quote.ts'

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
})

describe('quoteIdentifier', () => {
  it.each([
    ['users', '"users"'],
    ['Größe', '"Größe"'],
    ['a"b', '"a""b"'],
    ['"; drop table t; --', '"""; drop table t; --"'],
  ])('quotes %j', (name, identifier) => {
    expect(quoteIdentifier(name)).toBe(identifier)
  })
})
