import { describe, expect, it } from 'vitest'

import { saslprep } from './saslprep.ts'

describe('saslprep', () => {
  it.each([
    ['what is ASCII', 'Sesame-7 \t~', 'Sesame-7 \t~'],
    ['a letter and its accent, typed as two', 'e\u0301', 'é'],
    ['a ligature', 'ﬁsh', 'fish'],
    ['a roman number', 'Ⅸ', 'IX'],
    ['a space that does not break', 'a\u00a0b', 'a b'],
    ['a soft hyphen', 'I\u00adX', 'IX'],
    ['what is written from right to left', 'שלום', 'שלום'],
  ])('prepares %s', (_, password, prepared) => {
    expect(saslprep(password)).toBe(prepared)
  })

  it.each([
    ['is younger than Unicode 3.2', 'ﬁsh 😀'],
    ['holds a control character', 'ﬁsh\u0007'],
    ['is for private use', 'ﬁsh\ue000'],
    ['is written in both directions', 'ﬁשלום'],
    ['begins from right to left and does not end so', 'ﬞש1'],
    ['would be empty', '\u00ad'],
    ['is no text', 'ﬁsh\ud800'],
  ])('leaves a password as it is that %s', (_, password) => {
    expect(saslprep(password)).toBe(password)
  })
})
