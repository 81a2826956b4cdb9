import { describe, expect, it } from 'vitest'

import { formatTarget, parseTarget } from './target.ts'

describe('parseTarget', () => {
  it.each(['head', 'heads', 'base'] as const)('takes the word %s', (kind) => {
    expect(parseTarget(kind)).toEqual({ ok: true, target: { kind } })
  })

  it.each([
    ['+1', 1],
    ['-1', -1],
    ['+12', 12],
    ['-007', -7],
    ['+1000000', 1_000_000],
  ])('takes %s as a walk', (text, steps) => {
    expect(parseTarget(text)).toEqual({ ok: true, target: { kind: 'steps', steps } })
  })

  it.each(['3f9c', '1234', 'deadbeef', '3f9c1a7be204'])('takes %s as an id or the beginning of one', (prefix) => {
    expect(parseTarget(prefix)).toEqual({ ok: true, target: { kind: 'revision', prefix } })
  })

  it('does not mind capitals in an id', () => {
    expect(parseTarget('3F9C1A')).toEqual({ ok: true, target: { kind: 'revision', prefix: '3f9c1a' } })
  })

  it('takes the name of a database in front', () => {
    expect(parseTarget('gdpr/base')).toEqual({ ok: true, target: { kind: 'base', database: 'gdpr' } })
    expect(parseTarget('my-db_2/-1')).toEqual({ ok: true, target: { kind: 'steps', steps: -1, database: 'my-db_2' } })
    expect(parseTarget('main/3f9c')).toEqual({
      ok: true,
      target: { kind: 'revision', prefix: '3f9c', database: 'main' },
    })
  })

  it.each([
    ['', 1, 'is empty'],
    ['main/', 6, 'is empty'],
    ['HEAD', 1, '"HEAD" is not a target'],
    ['latest', 1, '"latest" is not a target'],
    ['20261120143000_add_oauth_tokens', 1, 'is not a target'],
    [' head', 1, '" head" is not a target'],
    ['+', 1, '"+" is not a target'],
    ['+1.5', 1, '"+1.5" is not a target'],
    ['--1', 1, '"--1" is not a target'],
    ['+0', 1, 'goes nowhere'],
    ['-0', 1, 'goes nowhere'],
    ['+99999999999999999999', 1, 'more steps than any history has'],
    ['3f9', 1, '"3f9" is too short: give at least 4 characters'],
    ['3f9c1a7be2044', 1, 'longer than the 12 characters'],
    ['/head', 1, '"" is not the name of a database'],
    ['Main/head', 1, '"Main" is not the name of a database'],
    ['main/latest', 6, '"latest" is not a target'],
    ['main/gdpr/head', 6, '"gdpr/head" is not a target'],
  ])('refuses %j at character %i: %s', (text, position, reason) => {
    const result = parseTarget(text)
    const problem = result.ok ? undefined : result.problem

    expect(problem?.code).toBe('TARGET_INVALID')
    expect(problem?.message).toContain(`target "${text}", character ${position}: `)
    expect(problem?.message).toContain(reason)
    expect(problem?.hint).toContain('head, heads, base, +N, -N')
  })
})

describe('formatTarget', () => {
  it.each(['head', 'heads', 'base', '+3', '-1', '3f9c', 'main/head', 'my-db/+2', 'gdpr/3f9c1a7be204'])(
    'writes %s as it is typed',
    (text) => {
      const result = parseTarget(text)

      expect(result.ok && formatTarget(result.target)).toBe(text)
    },
  )
})
