import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ConnectionUrl } from './connection-url.ts'
import { maskSecrets } from './mask-secrets.ts'

describe('maskSecrets', () => {
  it.each([
    ['as it is', 'p@ss "w/rd"'],
    ['as it stands in a URL', 'p%40ss%20%22w%2Frd%22'],
    ['as it stands in JSON', 'p@ss \\"w/rd\\"'],
  ])('hides a password written %s, wherever it is', (_, written) => {
    expect(maskSecrets(`${written}: ${written}`, urlWith('p@ss "w/rd"'))).toBe('***: ***')
  })

  it('leaves text alone where there is no password', () => {
    expect(maskSecrets('Schema updated', urlWith(''))).toBe('Schema updated')
  })

  it('leaves nothing of any password in a URL that is printed', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), (password) => {
        const url = urlWith(password)
        const masked = maskSecrets(`connecting to ${url.revealUrl()}`, url)

        expect(masked).not.toContain(encodeURIComponent(password))
        expect(masked).not.toContain(password)
      }),
    )
  })
})

function urlWith(password: string): ConnectionUrl {
  return ConnectionUrl.of({ host: 'db', port: 5432, database: 'jobs', user: 'jobs', password, source: 'the test' })
}
