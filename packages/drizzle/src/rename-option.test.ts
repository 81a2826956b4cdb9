import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatRename, formatRenameOption, parseRename } from './rename-option.ts'

describe('parseRename', () => {
  it.each([
    ['users=people', ['users'], ['people']],
    ['users.name=users.full_name', ['users', 'name'], ['users', 'full_name']],
    ['app.users.name=app.users.full_name', ['app', 'users', 'name'], ['app', 'users', 'full_name']],
    ['app.users=people', ['app', 'users'], ['people']],
    ['mood.very sad=mood.blue', ['mood', 'very sad'], ['mood', 'blue']],
    ['"a.b".c="a.b".d', ['a.b', 'c'], ['a.b', 'd']],
    ['"say ""hi"""="x=y"', ['say "hi"'], ['x=y']],
    ['Users=users', ['Users'], ['users']],
  ])('takes %s', (text, from, to) => {
    expect(parseRename(text)).toEqual({ ok: true, option: { text, from, to } })
  })

  it.each([
    ['', 'it ends before a name'],
    ['users', 'it has 0 signs "="'],
    ['users=', 'it ends before a name'],
    ['=people', 'a name is missing at character 1'],
    ['users..name=users.title', 'a name is missing at character 7'],
    ['a=b=c', 'it has 2 signs "="'],
    ['"users=people', 'a name is missing at character 1'],
    ['"users"x=people', '"." or "=" is missing at character 8'],
    ['users.name=users.name', 'both names are the same'],
    ['a.b.c.d=a.b.c.e', '"a.b.c.d" has more than three parts'],
  ])('refuses "%s" and says why', (text, reason) => {
    const result = parseRename(text)

    expect(result.ok).toBe(false)
    if (result.ok) return
    expect(result.problem.code).toBe('USAGE')
    expect(result.problem.message).toContain(reason)
    expect(result.problem.hint).toContain('--rename users.name=users.full_name')
  })

  it('reads back whatever it formats', () => {
    const name = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(name, name, (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to))
        const text = formatRename(from, to)
        expect(parseRename(text)).toEqual({ ok: true, option: { text, from, to } })
      }),
    )
  })

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '.', '=', '"', ' ', 'ä') })
    fc.assert(
      fc.property(text, (any) => {
        expect(() => parseRename(any)).not.toThrow()
      }),
    )
  })
})

describe('formatRenameOption', () => {
  it('writes what can be typed in a shell', () => {
    expect(formatRenameOption(['users', 'name'], ['users', 'full_name'])).toBe('--rename users.name=users.full_name')
    expect(formatRenameOption(['a.b'], ["it's"])).toBe(`--rename '"a.b"=it'\\''s'`)
  })
})
