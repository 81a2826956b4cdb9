import { describe, expect, it } from 'vitest'

import { keepExpressions } from './keep-expressions.ts'

describe('keepExpressions', () => {
  it.each([
    ['CHECK ((((a >= 0) AND (a <= 1)) AND (b > 2)))', 'CHECK (((a BETWEEN 0 AND 1) AND (b > 2)))'],
    ['CHECK ((((a < 0) OR (a > 1)) OR b))', 'CHECK (((a NOT BETWEEN 0 AND 1) OR b))'],
    [
      'CHECK ((((f(a, b) >= (0)::numeric) AND (f(a, b) <= (c + 1))) AND d))',
      'CHECK (((f(a, b) BETWEEN (0)::numeric AND (c + 1)) AND d))',
    ],
    [
      `CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'it''s'::character varying])::text[])))`,
      `CHECK ((kind = ANY (ARRAY['a'::character varying, 'it''s'::character varying])))`,
    ],
    [
      `WHERE ((kind)::text <> ALL ((ARRAY['a'::character varying])::text[]))`,
      `WHERE (kind <> ALL (ARRAY['a'::character varying]))`,
    ],
  ])('writes %s so that it stays what it is', (before, after) => {
    expect(keepExpressions(`ALTER TABLE t ADD CONSTRAINT c ${before}`)).toBe(`ALTER TABLE t ADD CONSTRAINT c ${after}`)
  })

  it.each([
    ['a range alone', 'CHECK (((a >= 0) AND (a <= 1)))'],
    ['a range that comes second', 'CHECK ((b AND ((a >= 0) AND (a <= 1))))'],
    ['what only looks like a range', 'CHECK ((((a >= 0) AND (b <= 1)) AND c))'],
    ['other comparisons', 'CHECK ((((a > 0) AND (a <= 1)) AND c))'],
    ['another operator', 'CHECK ((((a >=# 0) AND (a <= 1)) AND c))'],
    ['a condition of another kind', 'CHECK ((((a >= 0) AND (a <= 1)) OR c))'],
    ['a comparison with a list', 'CHECK ((((a >= ANY (x)) AND (a <= 1)) AND c))'],
    ['a text', `CHECK ((a = '(((a >= 0) AND (a <= 1)) AND b)'))`],
  ])('leaves %s alone', (_, text) => {
    expect(keepExpressions(`ALTER TABLE t ADD CONSTRAINT c ${text}`)).toBe(`ALTER TABLE t ADD CONSTRAINT c ${text}`)
  })

  it('leaves the text of functions and comments alone', () => {
    const body = `(((a)::text = ANY ((ARRAY['a'::character varying])::text[])))`

    for (const head of ['CREATE FUNCTION f() AS $$', 'COMMENT ON TABLE t IS $$']) {
      expect(keepExpressions(`${head}${body}$$`)).toBe(`${head}${body}$$`)
    }
  })
})
