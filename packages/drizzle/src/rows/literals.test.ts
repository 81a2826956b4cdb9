import { describe, expect, it } from 'vitest'

import { findLiterals, guessTexts } from './literals.ts'

describe('findLiterals', () => {
  it('finds the strings and numbers of a check as the server writes it', () => {
    const { strings, numbers } = findLiterals([
      `((status)::text = ANY (ARRAY['open'::text, 'it''s'::text]))`,
      `((amount >= '-5'::integer) AND (amount <= 10.5))`,
    ])

    expect(strings).toEqual(['open', "it's", '-5'])
    expect(numbers).toEqual(['-5', '10.5'])
  })

  it('passes over what is in a name', () => {
    expect(findLiterals([`(("it's 7" > 1) AND (column_2 > 3) AND (a2b IS NULL))`])).toEqual({
      strings: [],
      numbers: ['1', '3'],
    })
  })
})

describe('guessTexts', () => {
  it('offers the constants themselves, texts like a pattern of LIKE, and texts of the lengths named', () => {
    const guessed = guessTexts({ strings: ['open', '%_@_%'], numbers: ['12'] })

    expect(guessed).toContain('open')
    expect(guessed).toContain('x@x')
    expect(guessed).toContain('aa@aa')
    expect(new Set(guessed.map((text) => text.length))).toEqual(new Set([3, 4, 5, 11, 12, 13]))
  })
})
