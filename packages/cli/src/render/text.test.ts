import { describe, expect, it } from 'vitest'

import { styleFor } from './style.ts'
import { columns, count, duration, problemText } from './text.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

describe('columns', () => {
  it('pads every cell but the last of a line to the width of its column', () => {
    expect(
      columns([
        ['a', 'bbb', 'c'],
        ['aaaa', 'b', 'cc'],
      ]),
    ).toEqual(['a     bbb  c', 'aaaa  b    cc'])
  })

  it('takes lines of different length, and leaves no blanks at their ends', () => {
    expect(columns([['aaa'], ['a', 'b'], ['a', '']])).toEqual(['aaa', 'a    b', 'a'])
    expect(columns([])).toEqual([])
  })
})

describe('count', () => {
  it.each([
    [0, '0 revisions'],
    [1, '1 revision'],
    [2, '2 revisions'],
  ])('of %i is %s', (number, text) => {
    expect(count(number, 'revision')).toBe(text)
  })
})

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0 ms'],
    [17.6, '18 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1000, '1.0 s'],
    [12_340, '12.3 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [60_000, '1 min 0 s'],
    [119_600, '2 min 0 s'],
    [185_000, '3 min 5 s'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })
})

describe('problemText', () => {
  it('says what is wrong, the statement, what the server added, and what to do, in this order', () => {
    const text = problemText(
      {
        code: 'STATEMENT_FAILED',
        message: 'a.sql:3: duplicate key',
        database: 'main',
        statement: 'insert into t\nvalues (1)',
        sqlstate: '23505',
        serverNotes: ['DETAIL: Key (id)=(1) already exists.', 'CONTEXT: one\ntwo'],
        hint: 'correct a.sql',
      },
      plain,
    )

    expect(text).toBe(`error: main: a.sql:3: duplicate key [23505]
    insert into t
    values (1)
  DETAIL: Key (id)=(1) already exists.
  CONTEXT: one
  two
  next: correct a.sql`)
  })

  it('leaves out what a problem does not have', () => {
    expect(problemText({ code: 'INTERNAL', message: 'it broke' }, plain)).toBe('error: it broke')
  })

  it('quotes no more of a statement than it takes to recognise it', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`)
    const textOf = (most: number) =>
      problemText({ code: 'STATEMENT_FAILED', message: 'no', statement: lines.slice(0, most).join('\n') }, plain)

    expect(textOf(6).split('\n').at(-1)).toBe('    line 6')
    expect(textOf(9).split('\n').slice(-2)).toEqual(['    line 6', '    … 3 more lines'])
  })
})
