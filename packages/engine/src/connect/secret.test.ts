import { format, inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { Secret } from './secret.ts'

const secret = new Secret('Sesame-7')

describe('a Secret', () => {
  it('gives its text out to who asks for it', () => {
    expect(secret.reveal()).toBe('Sesame-7')
  })

  it('is masked as text, as JSON and in inspections', () => {
    expect([
      String(secret),
      ['', secret].join(''),
      JSON.stringify({ secret }),
      inspect(secret),
      format('%s %o', secret, secret),
    ]).toEqual(['Secret(***)', 'Secret(***)', '{"secret":"Secret(***)"}', 'Secret(***)', 'Secret(***) Secret(***)'])
  })

  it('is nowhere to be found by those who look closer', () => {
    const looks = [
      inspect({ deep: [secret] }, { showHidden: true, depth: null, getters: true }),
      inspect(secret, { showHidden: true, customInspect: false }),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      JSON.stringify(Object.entries(secret)),
      inspect(structuredClone(secret)),
      inspect(new Error('x', { cause: secret })),
    ]

    expect(looks.join('\n')).not.toContain('Sesame')
  })

  it('can be compared, and an empty one as well', () => {
    expect(secret.equals(new Secret('Sesame-7'))).toBe(true)
    expect(secret.equals(new Secret('Sesame-8'))).toBe(false)
    expect(secret.equals(new Secret('Sesame-77'))).toBe(false)
    expect(secret.equals(new Secret(''))).toBe(false)
    expect(new Secret('').equals(new Secret(''))).toBe(true)
  })
})
