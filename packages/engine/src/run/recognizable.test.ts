import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { recognizable } from './recognizable.ts'

describe('recognizable', () => {
  it.each([
    [`alter role ada password 'Sesame-7'`, `alter role ada password '…'`],
    [
      `select\n\t*  from users\nwhere email = 'ada@example.org' and "it's" = 1`,
      `select * from users where email = '…' and "it's" = 1`,
    ],
    [String.raw`select e'it\'s', 1`, `select '…', 1`],
    [`-- it's\nselect 'x' /* don't /* ' */ */, 'y'`, `select '…' , '…'`],
    [`do $a$ begin perform 'x'; end $a$`, `do '…'`],
    [`select $1, 'cut off`, `select $1, '…'`],
    ['select \u001B[31m\u202E1', 'select [31m 1'],
  ])('shows %j as %j', (statement, shown) => {
    expect(recognizable(statement)).toBe(shown)
  })

  it('is 200 characters long at most', () => {
    const shown = recognizable(`select ${'😀, '.repeat(200)}`)
    expect(Array.from(shown)).toHaveLength(200)
    expect(shown.endsWith('…')).toBe(true)
  })

  it('shows nothing of what is in strings, wherever the server has cut the statement off', () => {
    const anyPart = fc.constantFrom('select ', ` '`, `''`, ` e'`, `\\`, ' $q$', '--', '\n', '/*', '*/', '"', '; ')
    fc.assert(
      fc.property(fc.array(anyPart), fc.nat(), (parts, cut) => {
        const statement = `${parts.join('')}\n/**/ select "a", 'SECRET' from t`
        // Where a quote is left open before it, what follows is outside of it.
        fc.pre(recognizable(`${parts.join('')}\n/**/ '' x`).endsWith(`'…' x`))
        expect(recognizable(statement.slice(0, cut % (statement.length + 1)))).not.toContain('SECR')
      }),
    )
  })
})
