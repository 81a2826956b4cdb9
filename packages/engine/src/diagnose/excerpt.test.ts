import { describe, expect, it } from 'vitest'

import { excerptOf, placeAt } from './excerpt.ts'

/** The excerpt of a text whose caret is where `‸` stands in it. */
function excerptAt(marked: string): readonly string[] {
  const text = marked.replace('‸', '')
  return excerptOf(text, { start: 0, end: text.length, caret: marked.indexOf('‸') })
}

describe('excerptOf', () => {
  it('puts a caret under the place, and numbers the lines', () => {
    expect(excerptAt('alter table a1\n  add column name ‸txt;\n')).toEqual([
      '1 | alter table a1',
      '2 |   add column name txt;',
      '  |                   ^',
      '3 |',
    ])
  })

  it('shows two lines before the place and one after it, of the part that is asked for', () => {
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`)
    const text = lines.join('\n')
    const caret = text.indexOf('line 10') + 5
    expect(excerptOf(text, { start: text.indexOf('line 2'), end: text.length, caret })).toEqual([
      ' 8 | line 8',
      ' 9 | line 9',
      '10 | line 10',
      '   |      ^',
      '11 | line 11',
    ])
    expect(excerptOf(text, { start: text.indexOf('10'), end: text.indexOf('10') + 2, caret })).toEqual([
      '10 | line 10',
      '   |      ^',
    ])
  })

  it('shows the first lines where there is no place, and says how many are left', () => {
    const text = Array.from({ length: 8 }, (_, index) => `line ${index + 1}`).join('\n')
    expect(excerptOf(text, { start: 0, end: text.length })).toEqual([
      ...Array.from({ length: 6 }, (_, index) => `${index + 1} | line ${index + 1}`),
      '… 2 more lines',
    ])
    expect(excerptOf(text, { start: 0, end: 41 })).toHaveLength(6)
    expect(excerptOf(text, { start: 0, end: 48 }).at(-1)).toBe('… 1 more line')
  })

  it.each<[what: string, marked: string, shown: string, caret: string]>([
    ['tabs', '\tselect\t‸x', '1 |     select  x', '  |             ^'],
    ['characters that are two columns wide', `select '数据', ‸x`, `1 | select '数据', x`, '  |                ^'],
    ['emoji of several characters', `select '👩‍👩‍👧', ‸x`, `1 | select '👩‍👩‍👧', x`, '  |              ^'],
    ['combining characters', `select 'é', ‸x`, `1 | select 'é', x`, '  |             ^'],
    ['Windows line endings', 'select ‸x\r\n', '1 | select x', '  |        ^'],
    ['the end of a line', 'select‸\nfrom', '1 | select', '  |       ^'],
    ['what a terminal obeys', 'a\u001B[31m\u202E‸x', '1 | a�[31m�x', '  |        ^'],
  ])('puts the caret right behind %s', (_, marked, shown, caret) => {
    expect(excerptAt(marked).slice(0, 2)).toEqual([shown, caret])
  })

  it('cuts long lines around the place, and at the end where there is none', () => {
    const long = 'x'.repeat(500)
    const [line, caret] = excerptAt(`${long}‸?${long}`)
    expect(line).toMatch(/^1 \| …x+\?x+…$/)
    expect(line!.length).toBeLessThan(110)
    expect(line!.indexOf('?')).toBe(caret!.indexOf('^'))
    expect(excerptOf(long, { start: 0, end: 500 })[0]).toMatch(/^1 \| x{100}…$/)
  })

  it('takes a line of megabytes', () => {
    const [line, caret] = excerptAt(`${'😀'.repeat(1_000_000)}‸?`)
    expect(line).toMatch(/^1 \| …[😀]+\?$/u)
    expect(caret).toMatch(/^ {2}\| +\^$/)
  })
})

describe('placeAt', () => {
  it('counts lines and characters from 1', () => {
    expect(placeAt('a', 0)).toEqual({ line: 1, column: 1 })
    expect(placeAt('a\n😀b', 5)).toEqual({ line: 2, column: 3 })
    expect(placeAt('a\n', 2)).toEqual({ line: 2, column: 1 })
  })
})
