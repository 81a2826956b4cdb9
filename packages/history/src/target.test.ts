import { describe, expect, it } from 'vitest'

import { faultOfLabel, formatRange, formatTarget, parseRange, parseTarget } from './target.ts'

describe('parseTarget', () => {
  it.each(['head', 'heads', 'base'] as const)('takes the word %s', (kind) => {
    expect(parseTarget(kind)).toEqual({ ok: true, target: { anchor: { kind }, steps: 0 } })
  })

  it.each([
    ['+1', 1],
    ['-1', -1],
    ['+12', 12],
    ['-007', -7],
    ['+1000000', 1_000_000],
  ])('takes %s as a walk from what is applied', (text, steps) => {
    expect(parseTarget(text)).toEqual({ ok: true, target: { steps } })
  })

  it.each(['3f9c', '1234', 'deadbeef', '3f9c1a7be204', '3F9C1A', 'billing', 'Billing_2', '_x', 'header', 'database'])(
    'takes %s as the name of a revision, as it is written',
    (name) => {
      expect(parseTarget(name)).toEqual({ ok: true, target: { anchor: { kind: 'name', name }, steps: 0 } })
    },
  )

  it('takes a walk behind a name, a head and the base', () => {
    expect(parseTarget('3f9c+2')).toEqual({ ok: true, target: { anchor: { kind: 'name', name: '3f9c' }, steps: 2 } })
    expect(parseTarget('billing-1')).toEqual({
      ok: true,
      target: { anchor: { kind: 'name', name: 'billing' }, steps: -1 },
    })
    expect(parseTarget('head-3')).toEqual({ ok: true, target: { anchor: { kind: 'head' }, steps: -3 } })
    expect(parseTarget('base+3')).toEqual({ ok: true, target: { anchor: { kind: 'base' }, steps: 3 } })
  })

  it('takes a branch in front of any of them', () => {
    expect(parseTarget('billing@head')).toEqual({
      ok: true,
      target: { branch: 'billing', anchor: { kind: 'head' }, steps: 0 },
    })
    expect(parseTarget('3f9c@-2')).toEqual({ ok: true, target: { branch: '3f9c', steps: -2 } })
    expect(parseTarget('billing@3f9c+1')).toEqual({
      ok: true,
      target: { branch: 'billing', anchor: { kind: 'name', name: '3f9c' }, steps: 1 },
    })
  })

  it('takes the name of a database in front of everything', () => {
    expect(parseTarget('gdpr/base')).toEqual({
      ok: true,
      target: { database: 'gdpr', anchor: { kind: 'base' }, steps: 0 },
    })
    expect(parseTarget('my-db_2/-1')).toEqual({ ok: true, target: { database: 'my-db_2', steps: -1 } })
    expect(parseTarget('main/billing@heads')).toEqual({
      ok: true,
      target: { database: 'main', branch: 'billing', anchor: { kind: 'heads' }, steps: 0 },
    })
  })

  it.each([
    ['HEAD', 1, '"HEAD" is written "head"'],
    ['Base+1', 1, '"Base" is written "base"'],
    ['20261120143000_add_oauth_tokens', 1, 'is neither an id (0-9, a-f) nor a label'],
    [' head', 1, '" head" was not expected'],
    ['head ', 5, '" " was not expected'],
    ['+', 1, 'a number of steps is missing after the sign'],
    ['3f9c+', 5, 'a number of steps is missing after the sign'],
    ['+1.5', 3, '".5" was not expected'],
    ['--1', 1, 'a number of steps is missing after the sign'],
    ['+1+1', 3, '"+1" was not expected'],
    ['+0', 1, 'goes nowhere'],
    ['3f9c-0', 5, 'goes nowhere'],
    ['+99999999999999999999', 1, 'more steps than any history has'],
    ['heads-1', 6, 'no walk can start from several heads'],
    ['head+1', 5, 'nothing is above a head'],
    ['base-1', 5, 'nothing is below the base'],
    ['add', 1, '"add" is too short: give at least 4 characters of an id'],
    ['3f9c1a7be2044', 1, 'longer than the 12 characters'],
    ['@head', 1, 'a branch is missing before the "@"'],
    ['head@3f9c', 1, '"head" is not a branch'],
    ['HEADS@3f9c', 1, '"HEADS" is written "heads"'],
    ['3f9@head', 1, '"3f9" is too short'],
    ['3f9c@add', 6, '"add" is too short'],
    ['one@two@head', 8, '"@head" was not expected'],
    ['billing+1@head', 10, '"@head" was not expected'],
    ['my-label', 3, 'a number of steps is missing after the sign'],
    ['/head', 1, '"" is not the name of a database'],
    ['Main/head', 1, '"Main" is not the name of a database'],
    ['main/3f9', 6, '"3f9" is too short'],
    ['main/gdpr/head', 10, '"/head" was not expected'],
    ['3f9c:77aa', 5, '":77aa" was not expected'],
  ])('refuses %j at character %i: %s', (text, position, reason) => {
    const result = parseTarget(text)
    const problem = result.ok ? undefined : result.problem

    expect(problem?.code).toBe('TARGET_INVALID')
    expect(problem?.message).toContain(`target "${text}", character ${position}: `)
    expect(problem?.message).toContain(reason)
    expect(problem?.hint).toContain('head, heads, base, +N, -N')
  })

  it('says of a text that ends too early what is missing', () => {
    expect(parseTarget('')).toMatchObject({ ok: false, problem: { message: 'the target is empty' } })
    for (const text of ['main/', 'billing@', 'main/billing@']) {
      expect(parseTarget(text)).toMatchObject({
        ok: false,
        problem: {
          message: `target "${text}" ends too early: a revision, a label, head, heads, base or a walk is missing`,
        },
      })
    }
  })
})

describe('parseRange', () => {
  it('takes two ends, either of which may be missing', () => {
    const from = { anchor: { kind: 'name', name: '3f9c' }, steps: 0 }
    const to = { branch: 'billing', anchor: { kind: 'head' }, steps: -1 }

    expect(parseRange('3f9c:billing@head-1')).toEqual({ ok: true, range: { from, to } })
    expect(parseRange('3f9c:')).toEqual({ ok: true, range: { from } })
    expect(parseRange(':billing@head-1')).toEqual({ ok: true, range: { to } })
    expect(parseRange(':')).toEqual({ ok: true, range: {} })
    expect(parseRange('main/-3:')).toEqual({ ok: true, range: { database: 'main', from: { steps: -3 } } })
  })

  it.each([
    ['3f9c::77aa', 'character 6: ":77aa" was not expected'],
    ['3f9c 77aa', 'character 5: " 77aa" was not expected'],
    ['head', 'ends too early: a ":" is missing between its two ends'],
    ['3f9c:main/77aa', 'character 1: "3f9c:main" is not the name of a database'],
    ['3f9c:add', 'character 6: "add" is too short'],
  ])('refuses %j: %s', (text, reason) => {
    const result = parseRange(text)

    expect(result).toMatchObject({ ok: false, problem: { code: 'TARGET_INVALID' } })
    expect(result.ok || result.problem.message).toContain(reason)
    expect(result.ok || result.problem.hint).toContain('a range is <from>:<to>')
  })
})

describe('formatTarget and formatRange', () => {
  it.each([
    'head',
    'heads',
    'base',
    '+3',
    '-1',
    '3f9c',
    'main/head',
    'my-db/+2',
    'gdpr/3f9c1a7be204',
    'billing@head-2',
    'main/3f9c@base+1',
  ])('write %s as it is typed', (text) => {
    const target = parseTarget(text)
    const range = parseRange(`${text}:billing@+1`)

    expect(target.ok && formatTarget(target.target)).toBe(text)
    expect(range.ok && formatRange(range.range)).toBe(`${text}:billing@+1`)
  })
})

describe('faultOfLabel', () => {
  it('finds none with a word', () => {
    const labels = ['billing', 'Billing_2', '_x', 'headless', 'feedback', 'x'.repeat(63)]
    expect(labels.filter((label) => faultOfLabel(label) !== undefined)).toEqual([])
  })

  it.each([
    ['', 'is not 1 to 63 letters'],
    ['2fa', 'is not 1 to 63 letters'],
    ['my-label', 'is not 1 to 63 letters'],
    ['billing\n', 'is not 1 to 63 letters'],
    ['x'.repeat(64), 'is not 1 to 63 letters'],
    ['head', 'is a word of its own'],
    ['Heads', 'is a word of its own'],
    ['BASE', 'is a word of its own'],
    ['add', 'could be taken for an id'],
    ['Cafe', 'could be taken for an id'],
  ])('finds that %j %s', (label, fault) => {
    expect(faultOfLabel(label)).toContain(fault)
  })
})
